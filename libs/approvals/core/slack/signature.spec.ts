import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SlackSignatures } from './signature.ts';

const hmac = (secret: string, parts: readonly (string | Uint8Array)[]): string => {
  const made = createHmac('sha256', secret);
  for (const part of parts) made.update(part);
  return made.digest('hex');
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The example of Slack's own documentation. */
const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const timestamp = '1531420618';
const body = bytes(
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
);
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
const then = 1_531_420_618_000;
const signed = (at: number, text = 'payload=x', by = secret): { timestamp: string; signature: string; body: Uint8Array } => {
  const seconds = String(Math.floor(at / 1000));
  return { timestamp: seconds, signature: `v0=${hmac(by, [`v0:${seconds}:${text}`])}`, body: bytes(text) };
};

describe('the signature of a request', () => {
  it('of the documentation is good, under whichever secret it was made', () => {
    expect(new SlackSignatures(hmac).check({ timestamp, signature, body }, [secret], then)).toBe(0);
    expect(new SlackSignatures(hmac).check({ timestamp, signature, body }, ['other', secret, 'third'], then)).toBe(1);
  });

  it.each([
    ['another secret', { timestamp, signature, body }, ['other']],
    ['no secret', { timestamp, signature, body }, []],
    ['another body', { timestamp, signature, body: bytes('token=1') }, [secret]],
    ['another time', { timestamp: '1531420619', signature, body }, [secret]],
    ['one digit changed', { timestamp, signature: signature.replace(/.$/, '4'), body }, [secret]],
    ['another version', { timestamp, signature: signature.replace('v0', 'v1'), body }, [secret]],
    ['a shorter one', { timestamp, signature: signature.slice(0, -1), body }, [secret]],
    ['a longer one', { timestamp, signature: `${signature}0`, body }, [secret]],
    ['none', { timestamp, signature: undefined, body }, [secret]],
    ['no time', { timestamp: undefined, signature, body }, [secret]],
    ['a time that is none', { timestamp: '1531420618.5', signature, body }, [secret]],
    ['a time with a sign', { timestamp: '+1531420618', signature, body }, [secret]],
  ])('is not good with %s', (_, request, secrets) => {
    expect(new SlackSignatures(hmac).check(request, secrets, then)).toBeNull();
  });

  it.each([
    [-300, 0],
    [300, 0],
    [-301, null],
    [301, null],
    [-86_400, null],
    [86_400, null],
  ])('made %d s away from now: %p', (seconds, expected) => {
    expect(new SlackSignatures(hmac).check(signed(then + seconds * 1000), [secret], then)).toBe(expected);
  });

  it('is good once; what was not good is not remembered', () => {
    const signatures = new SlackSignatures(hmac);
    expect(signatures.check(signed(then, 'a', 'forged'), [secret], then)).toBeNull();
    expect(signatures.check(signed(then, 'a'), [secret], then)).toBe(0);
    expect(signatures.check(signed(then, 'a'), [secret], then)).toBeNull();
    expect(signatures.check(signed(then, 'a'), [secret], then + 299_000)).toBeNull();
    expect(signatures.check(signed(then + 1000, 'a'), [secret], then)).toBe(0);
  });

  it('is remembered in bounded room, the latest ones longest', () => {
    const real = new SlackSignatures(hmac);
    const first = signed(then, 'first');
    expect(real.check(first, [secret], then)).toBe(0);
    for (let n = 0; n < 9_999; n++) real.check(signed(then, `n${n}`), [secret], then);
    expect(real.check(first, [secret], then)).toBeNull();
    real.check(signed(then, 'one more'), [secret], then);
    expect(real.check(signed(then, 'n5'), [secret], then)).toBeNull();
  });
});
