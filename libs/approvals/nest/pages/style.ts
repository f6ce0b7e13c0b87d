import { Markup } from './html.ts';

/** The one style sheet of all pages. Colours have at least 4.5 to 1 on their ground in both schemes; none of them says anything that words do not. */
export const STYLE = new Markup(`
:root { color-scheme: light dark; --ground: #ffffff; --panel: #f4f5f7; --text: #16181d; --quiet: #4a5160; --line: #8a92a3; --link: #0b4fb3; --act: #0b4fb3; --on-act: #ffffff; --stop: #a3161f; --on-stop: #ffffff; --note: #fff3cd; --on-note: #3d2f00; --bad: #fde2e2; --on-bad: #5f0d12; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --panel: #1f2329; --text: #eceef2; --quiet: #b3bac7; --line: #737c8d; --link: #8ab8ff; --act: #8ab8ff; --on-act: #0c1524; --stop: #ff9d9d; --on-stop: #2b0508; --note: #3b3010; --on-note: #ffe9a8; --bad: #46161a; --on-bad: #ffd5d5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: .75rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; border-bottom: 1px solid var(--line); }
header p { margin: 0; } header .home { font-weight: 700; } header form { margin-left: auto; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 .5rem; } h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
a { color: var(--link); } a, button, input, textarea, summary { outline-offset: 3px; }
:focus-visible { outline: 3px solid var(--link); }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .5rem; z-index: 1; }
.quiet { color: var(--quiet); }
.notice, .refused { padding: .75rem 1rem; border-left: .35rem solid; margin: 1rem 0; } .notice { background: var(--note); color: var(--on-note); } .refused { background: var(--bad); color: var(--on-bad); } .notice a, .refused a { color: inherit; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .5rem 0; } dt { color: var(--quiet); } dd { margin: 0; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
pre { background: var(--panel); border: 1px solid var(--line); padding: .75rem; margin: .5rem 0; white-space: pre-wrap; font: .9rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
ul.plain, ol.plain { list-style: none; padding: 0; } ul.plain > li, ol.plain > li { border: 1px solid var(--line); padding: .6rem .8rem; margin: .5rem 0; background: var(--panel); } li p { margin: .15rem 0; }
fieldset { border: 1px solid var(--line); margin: 1rem 0; padding: .5rem 1rem 1rem; } legend { font-weight: 600; padding: 0 .35rem; }
label { display: block; margin: .5rem 0 .2rem; }
input[type=password], textarea { width: 100%; padding: .5rem; font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); } textarea.code { font: .9rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
button { font: inherit; font-weight: 600; margin-top: .6rem; padding: .55rem 1.1rem; min-height: 2.75rem; border: 2px solid var(--act); border-radius: .3rem; background: var(--act); color: var(--on-act); cursor: pointer; } button.stop { background: var(--stop); border-color: var(--stop); color: var(--on-stop); } button.plain { background: transparent; color: var(--link); }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; color: var(--link); }
`);
