import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { initialState } from '../../src/state/initial-state.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { bootedMachine, CODE, hex, machineWith } from '../support/booted-machine.js';

/** mov eax, 5 / loop: dec eax / mov [0x200000], eax / jnz loop / hlt */
const COUNTDOWN = hex('b8 05 00 00 00 ff c8 89 04 25 00 00 20 00 75 f5 f4');

describe('a timeline', () => {
  it('visits any position in any order and finds the same states', () => {
    const machine = machineWith(COUNTDOWN);
    const { steps, stop } = machine.run();
    expect(stop).toEqual({ reason: 'waiting' });
    expect(steps).toBe(1 + 5 * 3 + 1);
    const timeline = machine.timeline();
    const forward = Array.from({ length: steps + 1 }, (_, position) => timeline.seek(position));
    for (const position of [7, 3, 16, 0, 17, 9, 1]) expect(timeline.seek(position)).toEqual(forward[position]);
    expect(forward[0]?.processors[0]?.general.RIP).toBe(BigInt(CODE));
    expect(timeline.seek(4).processors[0]?.general.RAX).toBe(4n);
    expect(timeline.seek(steps)).toEqual(machine.state);
  });

  it('materialises each step with its disassembly', () => {
    const machine = machineWith(COUNTDOWN);
    machine.run();
    const texts = [...machine.timeline().steps(0, 4)].map(({ position, text }) => [position, text]);
    expect(texts).toEqual([
      [0, 'mov eax, 5'],
      [1, 'dec eax'],
      [2, 'mov [0x200000], eax'],
      [3, 'jne 0x100005'],
    ]);
  });

  it('finds who last wrote a register, a flag, a bit and memory', () => {
    const machine = machineWith(COUNTDOWN);
    machine.run();
    const timeline = machine.timeline();
    expect(timeline.lastWrite('RAX')?.position).toBe(13);
    expect(timeline.lastWrite('RAX', 13)?.position).toBe(10);
    expect(timeline.lastWrite('[0x200000+4]', 14)?.position).toBe(11);
    expect(timeline.lastWrite('[0x200003]')?.position).toBe(14);
    expect(timeline.lastWrite('[0x200004]')).toBeUndefined();
    expect(timeline.lastWrite('RBX')).toBeUndefined();
    expect(timeline.lastWrite('RFLAGS.ZF')?.position).toBe(13);
  });

  it('says what differs between two positions', () => {
    const machine = machineWith(COUNTDOWN);
    machine.run();
    const differences = [...machine.timeline().diff(1, 3)];
    expect(differences).toContainEqual({ location: 'processor/0/RAX', before: 5n, after: 4n });
    expect(differences).toContainEqual({ location: '[0x200000+1]', before: Uint8Array.of(0), after: Uint8Array.of(4) });
  });

  it('forks: what the fork does never changes the timeline', () => {
    const machine = machineWith(COUNTDOWN);
    machine.run();
    const before = machine.state;
    const fork = machine.fork(4);
    fork.processor(0).set('RAX', 1n);
    fork.run();
    expect(fork.log.length).toBe(4 + 1 + 4);
    expect(machine.timeline().seek(machine.log.length)).toEqual(before);
    expect(fork.timeline().seek(4)).toEqual(machine.timeline().seek(4));
  });

  it('starts from the nearest state that somebody else kept, instead of replaying from the beginning', () => {
    const machine = machineWith(COUNTDOWN);
    machine.run();
    const kept = machine.timeline().seek(10);
    const asked: number[] = [];
    const stateBefore = (position: number) => {
      asked.push(position);
      return position >= 10 ? kept : initialState(machine.definition);
    };
    const timeline = new Timeline(machine.definition, machine.log, undefined, { stateBefore });
    expect(timeline.seek(12)).toEqual(machine.timeline().seek(12));
    expect(timeline.lastWrite('RAX')?.position).toBe(13);
    expect(timeline.lastWrite('RAX', 10)?.position).toBe(7);
    expect(asked).toContain(12);
  });

  it('refuses a position that is not there', () => {
    const timeline = bootedMachine().timeline();
    expect(() => timeline.seek(1)).toThrow(UsageError);
    expect(() => timeline.seek(0.5)).toThrow(UsageError);
    expect(() => timeline.stepAt(0)).toThrow(UsageError);
  });

  it('explains a fault with its rule and the write to blame', () => {
    // mov rax, 0x8000000000000000 / mov [rax], eax: not canonical, and no IDT
    const machine = machineWith(hex('48 b8 00 00 00 00 00 00 00 80 89 00'));
    const { stop } = machine.run();
    expect(stop).toMatchObject({ reason: 'shutdown', processor: 0 });
    const why = machine.timeline().why();
    expect(why?.step.position).toBe(1);
    expect(why?.chain.map(({ vector }) => vector)).toEqual(['#GP', '#GP', '#DF', '#GP']);
    expect(why?.violations[0]).toMatchObject({ rule: 'core.linear-address.canonical', decided: true });
  });
});
