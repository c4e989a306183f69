import { describe, expect, it } from 'vitest';
import { apply } from '../../src/event/apply.js';
import { definePlugin } from '../../src/plugin/define.js';
import { defineSlice } from '../../src/plugin/slice.js';
import { initialState } from '../../src/state/initial-state.js';
import { stateDigest } from '../../src/trace/digest.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

/** A register at D0000000H that counts what is written, and a timer that raises line 3 every 50 cycles. */
function clockDevice() {
  const slice = defineSlice<{ next: number; ticks: number; written: number }>('clock', {
    version: 1,
    initial: () => ({ next: 50, ticks: 0, written: 0 }),
  });
  return definePlugin({
    name: 'clock',
    version: '1.0.0',
    apiVersion: 1,
    machineSlice: slice,
    deviceMemory: [
      {
        first: 0xd000_0000,
        last: 0xd000_0fff,
        read: (cpu, address, bytes) => slice.of(cpu.draft).written + (address & 0xff) * 0x100 + bytes * 0x1_0000,
        write: (cpu, _address, value) =>
          slice.change(cpu.draft, (clock) => {
            clock.written += value;
          }),
      },
    ],
    timer: {
      deadline: (draft) => slice.of(draft).next,
      expire: (draft, now) => {
        slice.change(draft, (clock) => {
          clock.next += 50 * Math.ceil((now + 1 - clock.next) / 50);
          clock.ticks++;
        });
        draft.setInterruptLine(3, true);
      },
    },
    interruptController: {
      lineChanged: (draft, line, high) => draft.requestInterrupt(line === 3 && high),
      acknowledge: (draft) => {
        draft.requestInterrupt(false);
        return 0x33;
      },
    },
  });
}

describe('device memory', () => {
  it('answers loads and stores of its size, 8 bytes as two of 4, and parts of a read-modify-write', () => {
    // mov edi, 0xd0000010; mov eax, [rdi]; mov dword [rdi], 5; add dword [rdi], 1; mov rbx, [rdi]; movzx ecx, byte [rdi+1]
    const code = hex('bf 10 00 00 d0 8b 07 c7 07 05 00 00 00 83 07 01 48 8b 1f 0f b6 4f 01');
    const machine = machineWith(code, { plugins: [clockDevice()] });
    const cpu = machine.processor(0);
    cpu.step(6);
    const written = 5 + (0x4_1000 + 5 + 1);
    const low = written + 0x1000 + 0x4_0000;
    expect(cpu.read('RAX')).toBe(0x4_1000n);
    expect(cpu.read('RBX')).toBe((BigInt(low + 0x400) << 32n) | BigInt(low));
    expect(cpu.read('RCX')).toBe(BigInt((written + 0x1100 + 0x1_0000) & 0xff));
  });

  it('is ones where no device answers', () => {
    const machine = machineWith(hex('bf 10 00 00 e0 8b 07'));
    machine.processor(0).step(2);
    expect(machine.processor(0).read('RAX')).toBe(0xffff_ffffn);
  });
});

describe('a device with a timer', () => {
  it('interrupts at its deadline, in the middle of a block, however the run is cut', () => {
    const code = [...hex('fb'), ...new Array<number>(60).fill(0x90), ...hex('f4 eb fd')];
    const make = () => {
      const machine = machineWithIdt(code, [{ vector: 0x33 }], { plugins: [clockDevice()] });
      machine.writeMemory(HANDLER, Uint8Array.from(hex('ff c3 48 cf')));
      return machine;
    };
    const [whole, pieces] = [make(), make()];
    whole.run({ maxSteps: 300 });
    for (let step = 0; step < 300; step += 7) pieces.run({ maxSteps: Math.min(7, 300 - step) });
    expect(stateDigest(pieces.state)).toEqual(stateDigest(whole.state));
    expect(Number(whole.state.processors[0]?.general.RBX)).toBeGreaterThan(10);
    let state = initialState(whole.definition);
    for (const { event } of whole.log.entries()) ({ state } = apply(whole.definition, state, event));
    expect(stateDigest(state)).toEqual(stateDigest(whole.state));
  });
});
