import { describe, expect, it } from '@jest/globals';
import { readRequirements } from './requirements.mjs';

const LISTED = `Required for 2030-01-01 (4 scenarios, frozen; run at the 2030-01-01 wire):

Server scenarios (test against a server):
  - lists
  - calls

Client scenarios (test against a client):
  - initialize

Run and reported, but never scored:
  extension (2):
    - tasks [server]
    - auth/dpop [client]
  pending (2):
    - polling [server]
    - preservation [client]
`;

describe('readRequirements', () => {
  it('names the scored scenarios of servers and, without the extensions, the others', () => {
    expect(readRequirements(LISTED)).toEqual({ scored: ['lists', 'calls'], unscored: ['polling'] });
  });

  it('does not take a text that it cannot read for a set without requirements', () => {
    expect(() => readRequirements('Something else')).toThrow('no scenario');
  });
});
