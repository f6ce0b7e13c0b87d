import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  /** Whom the envelope names. */
  readonly to: readonly string[];
  readonly from: string;
  readonly mail: Email;
  readonly raw: string;
}

/** What the server does with the next mails. */
export type MailBehaviour = 'take' | 'refuse for good' | 'refuse for now' | 'take and hang up' | 'hang up';

/** A real SMTP server on a free port that keeps what it gets. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  behaviour: MailBehaviour = 'take';
  /** How often somebody tried to give it a mail. */
  attempts = 0;
  private server: SMTPServer | undefined;

  get port(): number {
    return (this.server!.server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      hideENHANCEDSTATUSCODES: false,
      onRcptTo: (_address, _session, done) => {
        this.attempts++;
        if (this.behaviour === 'refuse for good') return done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
        if (this.behaviour === 'refuse for now') return done(Object.assign(new Error('try later'), { responseCode: 451 }));
        return done();
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          void this.keep(Buffer.concat(chunks).toString(), session.envelope).then(() => {
            if (this.behaviour === 'take and hang up') this.hangUp();
            else done();
          });
        });
      },
      onMailFrom: (_address, _session, done) => (this.behaviour === 'hang up' ? this.hangUp() : done()),
    });
    this.server.on('error', () => undefined);
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => this.server!.close(() => resolve()));
  }

  private hangUp(): void {
    for (const connection of this.server!.connections as Set<{ _socket: { destroy(): void } }>) connection._socket.destroy();
  }

  private async keep(raw: string, envelope: { rcptTo: readonly { address: string }[]; mailFrom: false | { address: string } }): Promise<void> {
    this.mails.push({ raw, mail: await PostalMime.parse(raw), to: envelope.rcptTo.map(({ address }) => address), from: envelope.mailFrom === false ? '' : envelope.mailFrom.address });
  }
}
