import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { DivergenceError } from '../../src/error.js';
import type { MachineEvent } from '../../src/event/event.js';
import { createMachine } from '../../src/machine/machine.js';
import { debugConsole } from '../../src/platform/debug-console.js';
import type { Plugin } from '../../src/plugin/define.js';
import { memorySink } from '../../src/trace/in-memory.js';
import { openTrace } from '../../src/trace/reader.js';
import { recordMachine } from '../../src/trace/record.js';
import { verify } from '../../src/trace/replay.js';
import { TraceWriter } from '../../src/trace/writer.js';
import { DENSE, record, sampleTrace, tally, tallyMachine } from './recordings.js';

const parts = { plugins: { tally } };
const poke = (value: bigint): MachineEvent => ({ type: 'processor/registerSet', processor: 1, register: 'R15', value });

/** A trace whose events are not those that led to its digests. */
function lyingTrace(keyframes: boolean): Uint8Array {
  const machine = tallyMachine();
  const sink = memorySink();
  const options = { digestEvery: 4, keyframeEvery: keyframes ? 4 : Number.POSITIVE_INFINITY };
  const writer = new TraceWriter(machine.definition, sink, { ...options, state: () => machine.state });
  for (const { event } of machine.log.entries()) writer.append(event);
  for (let index = 0; index < 12; index++) {
    machine.apply(poke(BigInt(index)));
    writer.append(poke(BigInt(index === 6 ? 99 : index)));
  }
  writer.close();
  return sink.bytes();
}

function divergence(file: Uint8Array): DivergenceError {
  try {
    verify(openTrace(file), parts);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DivergenceError);
    return thrown as DivergenceError;
  }
  return expect.unreachable('it was verified');
}

describe('verification', () => {
  it('compares every digest and says how far it is', () => {
    const { file, machine } = sampleTrace();
    const trace = openTrace(file);
    const heard: number[] = [];
    const result = verify(trace, { ...parts, onProgress: (position) => heard.push(position) });
    expect(result).toMatchObject({ positions: machine.position, digests: [...trace.digests()].length });
    expect(result.digests).toBeGreaterThan(4);
    expect(heard.at(-1)).toBe(machine.position);
    expect(heard).toEqual(heard.toSorted((a, b) => a - b));
  });

  it('ends when the listener wants it to', () => {
    const stop = new Error('stop');
    const onProgress = () => {
      throw stop;
    };
    expect(() => verify(openTrace(sampleTrace().file), { ...parts, onProgress })).toThrow(stop);
  });

  it('stops at the first digest that differs, with both sides and the last position that agreed', () => {
    const { code, details, message } = divergence(lyingTrace(false));
    expect(code).toBe('DIGEST_DIFFERS');
    expect(details).toMatchObject({
      position: 8,
      agreedUpTo: 4,
      recorded: expect.stringMatching(/^[0-9a-f]{64}$/),
      differences: [],
    });
    expect(details['computed']).not.toBe(details['recorded']);
    expect(message).toContain('position 8');
  });

  it('shows which parts of the state differ where there is a keyframe', () => {
    const { details, message } = divergence(lyingTrace(true));
    expect(details['differences']).toEqual([{ location: 'processor/1/R15', before: 6n, after: 99n }]);
    expect(message).toContain('processor/1/R15');
  });

  it('stops at steps that cannot be taken', () => {
    const machine = tallyMachine();
    const sink = memorySink();
    const writer = new TraceWriter(machine.definition, sink, { ...DENSE, state: () => machine.state });
    for (const { event } of machine.log.entries()) writer.append(event);
    // The second processor waits for a startup IPI: it cannot have taken steps.
    writer.append({ type: 'processor/stepsRetired', processor: 1, steps: 5 });
    writer.flush();
    expect(divergence(sink.bytes())).toMatchObject({
      code: 'REPLAY_STOPPED',
      details: { cause: 'STEPS_NOT_TAKEN', processor: 1 },
    });
  });

  it('verifies what is left of a damaged trace', () => {
    const { file } = sampleTrace();
    const trace = openTrace(file.slice(0, Math.floor(file.length * 0.7)));
    expect(trace.damage?.readableUpTo).toBeGreaterThan(0);
    expect(verify(trace, parts).positions).toBe(trace.length);
  });

  it('replays runs that stopped and went on as one run', () => {
    const steps = { type: 'steps', steps: 10 } as const;
    const { file, machine } = record([steps, steps, steps]);
    expect(machine.log.size).toBe(2);
    expect(verify(openTrace(file), parts).positions).toBe(31);
  });

  it('replays a run that a device ended and that went on afterwards', () => {
    // inc rax; mov al, 5; out f4h, al; jmp back
    const bytes = Uint8Array.of(0x48, 0xff, 0xc0, 0xb0, 5, 0xe6, 0xf4, 0xeb, 0xf7);
    const boot = rawImage({ bytes, mode: 'long', load: 0x10_0000 });
    const machine = createMachine<readonly Plugin[]>({ profile: 'intel-server', boot, plugins: [debugConsole] });
    const sink = memorySink();
    const recording = recordMachine(machine, sink);
    for (let exit = 0; exit < 3; exit++) expect(machine.run().stop).toEqual({ reason: 'exit', value: 5 });
    recording.close();
    expect(verify(openTrace(sink.bytes()), { plugins: [debugConsole] }).positions).toBe(machine.position);
  });
});
