// Typed bytes become events, one at a time, in order; a run that waits for them goes on when they come.
import { PassThrough } from 'node:stream';
import { createMachine, debugConsole, defineEvent, definePlugin, rawImage, u8, u16 } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { runWithLimits } from '../../src/guest/limits.js';
import { StreamInput } from '../../src/guest/serial-input.js';

const received: number[] = [];
const line = definePlugin({
  name: 'line',
  version: '1.0.0',
  apiVersion: 1,
  events: [
    defineEvent('uart/serialReceived', {
      payload: { port: u16, byte: u8 },
      apply: (draft, { byte }) => {
        received.push(byte);
        draft.cpu(0).activity = 'active'; // as an interrupt would
      },
    }),
  ],
});

/** Halts again and again. */
function machine() {
  const boot = rawImage({ bytes: Uint8Array.of(0xf4, 0xeb, 0xfd), mode: 'long', load: 0x10_0000 });
  return createMachine({ profile: 'intel-server', plugins: [line, debugConsole], boot });
}

describe('serial input', () => {
  it('wakes a guest that waits for it, and ends with the stream', async () => {
    received.length = 0;
    const stream = new PassThrough();
    const input = new StreamInput(stream);
    const waiting = machine();
    const run = runWithLimits(waiting, {}, async () => {}, input);
    setTimeout(() => stream.end('ab'), 30);
    expect((await run).stop).toEqual({ reason: 'waiting' });
    expect(String.fromCharCode(...received)).toBe('ab');
    const events = [...waiting.log.entries()].map(({ event }) => event.type);
    expect(events.filter((type) => type === 'uart/serialReceived')).toHaveLength(2);
  });

  it('is not waited for longer than --timeout says', async () => {
    const input = new StreamInput(new PassThrough());
    const { stop } = await runWithLimits(machine(), { timeout: 0.05 }, async () => {}, input);
    expect(stop).toEqual({ reason: 'timeout', seconds: 0.05 });
  });
});
