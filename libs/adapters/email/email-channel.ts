import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { createTransport, type Transporter } from 'nodemailer';
import { DeliveryInDoubt, type Message, type MessageChannel, type Recipient, renderMail, threadOf } from '#libs/approvals/core';
import { JobHopeless } from '#libs/ports';

export interface EmailChannelOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise the connection is upgraded when the server offers it, or must be with `requireTls`. */
  readonly secure: boolean;
  readonly requireTls: boolean;
  readonly login?: { readonly user: string; readonly password: () => string };
  readonly from: string;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

interface Progress {
  /** The server has the whole text. */
  given: boolean;
}

/** {@link MessageChannel} over SMTP: one mail for each recipient, which tells and decides nothing. */
export class EmailChannel implements MessageChannel {
  readonly name = 'email';
  private readonly transport: Transporter;

  constructor(private readonly options: EmailChannelOptions) {
    const { host, port, secure, requireTls, login } = options;
    this.transport = createTransport({
      host,
      port,
      secure,
      requireTLS: requireTls,
      ...(login ? { auth: { user: login.user, pass: login.password() } } : {}),
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
      logger: false,
    });
    // The server takes the text only after it agreed to; once it has all of it, nobody but the server knows what became of it.
    this.transport.use('stream', (mail, done) => {
      const { progress } = mail.data as { progress: Progress };
      mail.message.transform(() => new Transform({ transform: (chunk, _, next) => next(null, chunk), flush: (next) => ((progress.given = true), next()) }));
      done();
    });
  }

  reaches(recipient: Recipient): boolean {
    return recipient.kind === 'person' && recipient.email !== null;
  }

  async send(message: Message): Promise<null> {
    const { recipient } = message;
    if (recipient.kind !== 'person' || recipient.email === null) throw new JobHopeless('no address');
    const { subject, text, html } = renderMail(message);
    const thread = threadOf(message.view);
    const progress: Progress = { given: false };
    const mail = {
      from: this.options.from,
      // As an object: an address is never read as a list of addresses.
      to: { name: '', address: recipient.email },
      subject,
      text,
      html,
      messageId: `<${createHash('sha256').update(`${message.tenant} ${message.id}`).digest('hex').slice(0, 40)}@holdfast.invalid>`,
      references: thread,
      inReplyTo: thread,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', Precedence: 'bulk' },
      progress,
    };
    try {
      await this.transport.sendMail(mail);
      return null;
    } catch (error) {
      throw judged(error as SmtpError, progress);
    }
  }

  close(): void {
    this.transport.close();
  }
}

/** A refusal for good is for good; a connection that broke after the text was sent leaves everybody in doubt. */
function judged(error: SmtpError, { given }: Progress): Error {
  const { code, responseCode } = error;
  if (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH') return new JobHopeless(`the mail server refused it (${responseCode})`);
  if (responseCode === undefined && given) return new DeliveryInDoubt('the connection broke while the mail was being taken');
  // What the server said may hold addresses; its kind is enough for a log.
  return new Error(`the mail could not be sent (${code ?? 'error'}${responseCode === undefined ? '' : `, ${responseCode}`})`);
}
