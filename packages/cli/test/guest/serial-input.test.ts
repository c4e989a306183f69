// Typed bytes become events, one at a time, in order; a run that waits for them goes on when they come.
import { PassThrough } from 'node:stream';
import { createMachine, type Machine, rawImage, uart } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { runWithLimits } from '../../src/guest/limits.js';
import { StreamInput } from '../../src/guest/serial-input.js';

/**
 * l: mov dx, 0x3fd / in al, dx / test al, 1 / jz l / mov dx, 0x3f8 / in al, dx / out dx, al / cmp al, '.' / jne l / hlt:
 * sends back what it receives up to a full stop.
 */
const ECHO = '66bafd03eca80174f766baf803ecee3c2e75edf4';
const HALT = 'f4';

function machineOf(code: string): Machine {
  const boot = rawImage({ bytes: Buffer.from(code, 'hex'), mode: 'long', load: 0x10_0000 });
  return createMachine({ profile: 'intel-server', plugins: [uart], boot }) as unknown as Machine;
}

/** Streams and timers have their turn between slices. */
const pause = () => new Promise<void>((resolve) => void setImmediate(resolve));
const receivedBy = ({ log }: Machine): number =>
  [...log.entries()].filter(({ event }) => event.type === 'uart/serialReceived').length;

describe('serial input', () => {
  it('reaches a guest that takes it, none of it lost, as events', async () => {
    const machine = machineOf(ECHO);
    let printed = '';
    machine.emissions$.subscribe((emission) => {
      if (emission.type === 'console/byteWritten') printed += String.fromCharCode(emission.byte);
    });
    const stream = new PassThrough();
    const run = runWithLimits(machine, {}, pause, new StreamInput(stream));
    stream.write('one, two, three, four, five');
    setTimeout(() => stream.end('.'), 30);
    expect((await run).stop).toEqual({ reason: 'waiting' });
    expect(printed).toBe('one, two, three, four, five.');
    expect(receivedBy(machine)).toBe(printed.length);
    expect(machine.timeline().seek(machine.position)).toEqual(machine.state);
  });

  it('ends a wait that has nothing to wait for: a guest that has halted and takes no byte', async () => {
    const machine = machineOf(HALT);
    const stream = new PassThrough();
    stream.end('ab');
    expect((await runWithLimits(machine, {}, pause, new StreamInput(stream))).stop).toEqual({ reason: 'waiting' });
    expect(receivedBy(machine)).toBe(1);
  });

  it('is not waited for longer than --timeout says', async () => {
    const input = new StreamInput(new PassThrough());
    const { stop } = await runWithLimits(machineOf(HALT), { timeout: 0.05 }, pause, input);
    expect(stop).toEqual({ reason: 'timeout', seconds: 0.05 });
  });
});
