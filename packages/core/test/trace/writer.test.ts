import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { UsageError } from '../../src/error.js';
import type { MachineEvent } from '../../src/event/event.js';
import { memorySink } from '../../src/trace/in-memory.js';
import { openTrace } from '../../src/trace/reader.js';
import { recordMachine } from '../../src/trace/record.js';
import { RETROVISOR_VERSION } from '../../src/trace/recorder-version.js';
import { TraceWriter, type TraceWriterOptions } from '../../src/trace/writer.js';
import { record, tallyMachine } from './recordings.js';

const poke: MachineEvent = { type: 'processor/registerSet', processor: 0, register: 'RAX', value: 1n };

function writing(options: Partial<TraceWriterOptions> = {}) {
  const machine = tallyMachine();
  const sink = memorySink();
  const writer = new TraceWriter(machine.definition, sink, { state: () => machine.state, ...options });
  for (const { event } of machine.log.entries()) writer.append(event);
  const happen = (event: MachineEvent, times = 1) => {
    for (let index = 0; index < times; index++) {
      machine.apply(event);
      writer.append(event);
    }
  };
  return { machine, sink, writer, happen };
}

describe('a recording that a crash ended', () => {
  it('has everything but the chunk that was being collected', () => {
    const { sink, writer, happen } = writing({ chunkEvents: 10 });
    happen(poke, 94);
    const { length, damage } = openTrace(sink.bytes());
    expect([length, writer.position]).toEqual([90, 95]);
    expect(damage).toMatchObject({ code: 'TRACE_NO_END', readableUpTo: 90, offset: sink.bytes().length });
  });

  it('has what was flushed', () => {
    const { sink, writer, happen } = writing();
    happen(poke, 7);
    writer.flush();
    writer.flush();
    expect(openTrace(sink.bytes()).length).toBe(8);
  });

  it('has a run of steps up to the last digest, though it is one entry', () => {
    const machine = tallyMachine();
    const sink = memorySink();
    recordMachine(machine, sink, { digestEvery: 2000 });
    for (let turn = 0; turn < 10; turn++) machine.step(0, 700);
    expect(machine.log.size).toBe(2);
    expect(openTrace(sink.bytes()).length).toBeGreaterThan(machine.position - 2100);
  });
});

describe('a trace writer', () => {
  it('makes one event of a run that was continued', () => {
    const machine = tallyMachine();
    const { file } = record(
      Array.from({ length: 50 }, () => ({ type: 'steps' as const, steps: 10 })),
      {},
      machine,
    );
    expect([...openTrace(file).events()].map(({ event }) => event.type)).toEqual([
      'processor/registerSet',
      'processor/stepsRetired',
    ]);
  });

  it('accepts no gap, no unknown event and no bad payload, and stays as it was', () => {
    const { sink, writer, happen } = writing();
    const refused: readonly [MachineEvent, number?][] = [
      [poke, 5],
      [{ type: 'stranger/happened' }],
      [{ ...poke, processor: 2 } as MachineEvent],
      [{ ...poke, register: 'RZX' } as MachineEvent],
      [{ ...poke, added: 1 } as MachineEvent],
      [{ ...poke, value: 2n ** 1024n } as MachineEvent],
      [{ type: 'processor/intrinsicExecuted', processor: 0, intrinsic: 'vmxoff', operands: [] }],
      [{ type: 'processor/stepsRetired', processor: 0, steps: 0 }],
      [{ type: 'tally/counted', by: 1, total: 1n, note: '\ud800', data: new Uint8Array() }],
      [{ type: 'tally/counted', by: 256, total: 1n, note: '', data: new Uint8Array() }],
    ];
    for (const [event, position] of refused) expect(() => writer.append(event, position)).toThrow(UsageError);
    happen(poke);
    writer.close();
    expect(openTrace(sink.bytes())).toMatchObject({ length: 2, damage: undefined });
  });

  it('writes nothing after it was closed', () => {
    const { writer } = writing();
    writer.close();
    expect(() => writer.append(poke)).toThrow(/closed/);
    expect(() => writer.close()).toThrow(/closed/);
  });

  it('asks for a state only where a digest or keyframe stands', () => {
    const machine = tallyMachine();
    let asked = 0;
    const state = () => {
      asked++;
      return machine.state;
    };
    const writer = new TraceWriter(machine.definition, memorySink(), { state });
    for (let index = 0; index < 900; index++) {
      if (index > 0) machine.apply(poke);
      writer.append(poke);
    }
    expect(asked).toBe(0);
    writer.close();
    expect(asked).toBe(1);
  });

  it('refuses a state of another position', () => {
    const { writer, machine, happen } = writing();
    const old = machine.state;
    happen(poke);
    expect(() => writer.close(old)).toThrow(/position/);
  });

  it('tells a failed write once the recording is closed, and leaves the machine running', () => {
    const machine = tallyMachine();
    const full = new Error('disk full');
    let budget = 3;
    const write = () => {
      if (budget-- === 0) throw full;
    };
    const recording = recordMachine(machine, { write: () => {}, end: () => {} });
    recording.close();
    budget = 6;
    const failing = recordMachine(machine, { write, end: () => {} }, { digestEvery: 10 });
    for (let index = 0; index < 200; index++) machine.apply(poke);
    expect(machine.position).toBe(201);
    expect(() => failing.close()).toThrow(full);
  });

  it('puts the version of the package into the header', () => {
    expect(RETROVISOR_VERSION).toBe(manifest.version);
    expect(openTrace(record([]).file).header.retrovisor).toBe(manifest.version);
  });

  it('writes indexes now and then: a long trace opens without a scan', () => {
    const { sink, writer, happen } = writing({ chunkEvents: 1 });
    happen(poke, 2500);
    writer.close();
    const bytes = sink.bytes();
    let read = 0;
    const source = {
      size: bytes.length,
      read: (offset: number, length: number) => {
        read += length;
        return bytes.subarray(offset, offset + length);
      },
    };
    const trace = openTrace(source, { check: 'access' });
    expect([trace.length, trace.damage]).toEqual([2501, undefined]);
    expect(read).toBeLessThan(bytes.length / 5);
    expect([...trace.events({ from: 2000, to: 2003 })].map(({ position }) => position)).toEqual([2000, 2001, 2002]);
  });
});
