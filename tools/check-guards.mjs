// Finds HTTP routes about whose access nobody has said a word. The access guard refuses such a route at run time; this finds it
// before, and it also finds routes that are registered on Fastify itself, where no Nest guard looks.
//
// A route is in order when its method or its controller class carries @Roles('…', …), @UseGuards(…) or @Public('reason').
// A route registered on Fastify directly needs a comment line `// access: <who checks it>` right above it.
// Run: node tools/check-guards.mjs [file or folder …]   (default: apps libs). Exit code 1 when something is found.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROUTES = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete', 'All', 'Options', 'Head', 'Search', 'Sse']);
const RAW_ROUTES = new Set(['get', 'post', 'put', 'patch', 'delete', 'all', 'options', 'head', 'route']);
const RAW_RECEIVER = /fastify|getinstance\(\)|httpadapter/i;

/** @param {string} fileName @param {string} text @returns {{line: number, message: string}[]} */
export function unguardedRoutes(fileName, text) {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const report = (node, message) => found.push({ line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, message });

  const decoratorsOf = (node) =>
    (ts.canHaveDecorators(node) ? (ts.getDecorators(node) ?? []) : []).map(({ expression }) => {
      const call = ts.isCallExpression(expression) ? expression : undefined;
      const callee = call ? call.expression : expression;
      return { name: ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText(source), args: call?.arguments ?? [] };
    });

  // What a decorator says about access: 'said', nothing at all, or something that looks like a word and is none.
  const access = (decorators, node) => {
    let said = false;
    for (const { name, args } of decorators) {
      if (name === 'Roles' || name === 'UseGuards') {
        if (args.length > 0) said = true;
        else report(node, `@${name}() names nobody`);
      } else if (name === 'Public') {
        const [reason] = args;
        if (reason && ts.isStringLiteralLike(reason) && reason.text.trim().length >= 8) said = true;
        else report(node, '@Public needs a reason in words');
      }
    }
    return said;
  };

  const controller = (node) => {
    const decorators = decoratorsOf(node);
    if (!decorators.some(({ name }) => name === 'Controller')) return;
    const all = access(decorators, node);
    for (const member of node.members) {
      const own = decoratorsOf(member);
      const route = own.find(({ name }) => ROUTES.has(name));
      if (!route) continue;
      const one = access(own, member);
      if (!all && !one) report(member, `${node.name?.text ?? 'a controller'}.${member.name?.getText(source) ?? '?'} (@${route.name}) says nothing about access: add @Roles, @UseGuards or @Public('reason')`);
    }
  };

  const raw = (node) => {
    if (!ts.isPropertyAccessExpression(node.expression) || !RAW_ROUTES.has(node.expression.name.text)) return;
    if (!RAW_RECEIVER.test(node.expression.expression.getText(source))) return;
    const [first] = node.arguments;
    const isRoute = first && (node.expression.name.text === 'route' ? ts.isObjectLiteralExpression(first) : node.arguments.length > 1);
    if (!isRoute) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
    const above = text.split('\n')[line - 1] ?? '';
    if (!/^\s*\/\/ access: \S.{7,}/.test(above)) report(node, 'a route on Fastify itself passes no Nest guard: say who checks access in a line `// access: …` above it');
  };

  const visit = (node) => {
    if (ts.isClassDeclaration(node)) controller(node);
    if (ts.isCallExpression(node)) raw(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Production sources below a folder, or the one file. */
export function sourcesBelow(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const child = join(path, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'bad-examples' ? [] : sourcesBelow(child);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts') ? [child] : [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = join(import.meta.dirname, '..');
  const given = process.argv.slice(2);
  const files = (given.length > 0 ? given : ['apps', 'libs'].map((folder) => join(root, folder)).filter((folder) => statSync(folder, { throwIfNoEntry: false }))).flatMap(sourcesBelow);
  let wrong = 0;
  for (const file of files) {
    for (const { line, message } of unguardedRoutes(file, readFileSync(file, 'utf8'))) {
      wrong += 1;
      console.error(`${relative(process.cwd(), file)}:${line}: ${message}`);
    }
  }
  if (wrong > 0) process.exitCode = 1;
  else console.log(`every route says who may use it (${files.length} files)`);
}
