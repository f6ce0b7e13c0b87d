import { Refusal } from '#libs/contracts';
import type { View, Visible } from '../registry/visible.ts';
import type { Exchange, RpcRequest } from './exchange.ts';
import { type Listed, listPage } from './list-page.ts';
import type { JsonObject } from './protocol.ts';
import { errorReply, type McpReply, resultReply } from './reply.ts';

/** The methods that list, and the member of their results. */
export const LIST_METHODS: Readonly<Record<string, 'tools' | 'prompts' | 'resources' | 'resourceTemplates'>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
};

/** Lists of what a caller may see, in pages of our own. */
export class Lists {
  constructor(
    private readonly visible: Visible,
    /** Tools of Holdfast itself that a caller sees. */
    private readonly own: (view: View) => readonly Listed[],
    /** Members that a list of the modern era has beside its entries. */
    private readonly extra: (exchange: Exchange) => JsonObject,
  ) {}

  async answer({ id, method, params, era }: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { cursor } = params;
    if (cursor !== undefined && typeof cursor !== 'string')
      return errorReply(new Refusal('invalid_params', 'cursor must be a string'), id, era === 'legacy');
    const member = LIST_METHODS[method]!;
    const page = listPage(await this.entries(member, exchange, era), cursor);
    if (page === null)
      return errorReply(new Refusal('invalid_params', 'this cursor is not one of ours, or the list has changed'), id, era === 'legacy');
    const extra = era === 'modern' ? `,${JSON.stringify(this.extra(exchange)).slice(1, -1)}` : '';
    const next = page.next === undefined ? '' : `,"nextCursor":${JSON.stringify(page.next)}`;
    return resultReply(id, `{"${member}":[${page.texts.join(',')}]${next}${extra}}`);
  }

  private async entries(member: (typeof LIST_METHODS)[string], { view }: Exchange, era: 'legacy' | 'modern'): Promise<readonly Listed[]> {
    if (member === 'tools' || member === 'prompts') {
      const naming = 'server' in view.endpoint ? 'own' : 'exposed';
      const offers = await this.visible.list(view, member);
      const listed = offers.map((offer) => ({ name: naming === 'own' ? offer.name : offer.exposed, text: () => offer.json(naming, era) }));
      const own = member === 'tools' ? this.own(view) : [];
      return own.length === 0 ? listed : [...own, ...listed.filter(({ name }) => !own.some((tool) => tool.name === name))];
    }
    const by = member === 'resources' ? 'uri' : 'uriTemplate';
    return (await this.visible.resources(view, member)).map((entry) => ({ name: entry[by] as string, text: () => JSON.stringify(entry) }));
  }
}
