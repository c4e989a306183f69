import { describe, expect, it } from 'vitest';
import { createMachine } from '../../src/machine/machine.js';
import { pci } from '../../src/platform/pci.js';
import { ps2 } from '../../src/platform/ps2.js';
import { rtc } from '../../src/platform/rtc.js';
import { systemControlPort } from '../../src/platform/system-control-port.js';
import { hex } from '../support/booted-machine.js';

const CODE = 0x7c00;
const RESUMED = 0x1000;
const NOWHERE = [0, 0, 0, 0, 0, 0]; // an IDT without gates

/** Protected mode with a shutdown status in the clock's memory and an address at 40:67. */
function started(status: string, code: string, processors = 1) {
  const shutdownStatus = `b0 0f e6 70 b0 ${status} e6 71`; // mov al, 0fh; out 70h, al; mov al, status; out 71h, al
  return createMachine({
    profile: 'intel-server',
    processors,
    memory: 0x40_0000,
    plugins: [rtc, ps2, systemControlPort, pci],
    boot: {
      mode: 'protected',
      entry: CODE,
      firmware: 'pc',
      segments: [
        { address: CODE, bytes: Uint8Array.from(hex(`${shutdownStatus} ${code}`)) },
        { address: RESUMED, bytes: Uint8Array.from(hex('bb 34 12 f4')) }, // mov bx, 1234h; hlt
        { address: 0x3000, bytes: Uint8Array.from(NOWHERE) },
      ],
    },
  });
}
const AT_40_67 = 'c7 05 67 04 00 00 00 00 00 01'; // 0100:0000

const RESETS = [
  ['port 92H', 'b0 01 e6 92'],
  ['the keyboard controller', 'b0 fe e6 64'],
  ['the reset control register', '66 ba f9 0c b0 04 ee'],
  ['a third fault', '0f 01 1d 00 30 00 00 cc'], // lidt [3000h]; int3
] as const;

describe('a reset with a shutdown status of 0AH', () => {
  it.each(RESETS)('by %s goes on at the address in 40:67, in real-address mode', (_name, reset) => {
    const machine = started('0a', `${AT_40_67} ${reset} f4`);
    expect(machine.run({ maxSteps: 1000 }).stop.reason).toBe('waiting');
    const cpu = machine.processor(0);
    expect([cpu.read('RBX'), cpu.read('RIP'), cpu.read('CS.selector')]).toEqual([0x1234n, 4n, 0x100n]);
    expect(cpu.read('CR0') & 1n).toBe(0n);
  });

  it('clears the status: the next reset is one of the machine', () => {
    const machine = started('0a', `${AT_40_67} b0 fe e6 64 f4`);
    machine.run({ maxSteps: 1000 });
    machine.writeMemory(RESUMED, Uint8Array.from(hex('b0 fe e6 64 f4')));
    machine.processor(0).set('RIP', 0n);
    machine.processor(0).set('activity', 0n);
    expect(machine.run({ maxSteps: 1000 }).stop).toEqual({ reason: 'reset', device: 'keyboard controller' });
  });

  it('leaves other processors waiting for a startup IPI', () => {
    const machine = started('0a', `${AT_40_67} b0 fe e6 64 f4`, 2);
    machine.processor(1).set('activity', 1n);
    machine.run({ maxSteps: 1000 });
    expect(machine.state.processors[1]?.internal.activity).toBe(
      createMachine({ profile: 'intel-server', processors: 2 }).state.processors[1]?.internal.activity,
    );
  });
});

describe('a reset with another status', () => {
  it.each(RESETS.slice(0, 3))('by %s ends the run', (_name, reset) => {
    expect(started('00', `${AT_40_67} ${reset} f4`).run({ maxSteps: 1000 }).stop.reason).toBe('reset');
  });

  it('by a third fault is a shutdown', () => {
    expect(started('00', `${AT_40_67} ${RESETS[3][1]} f4`).run({ maxSteps: 1000 }).stop.reason).toBe('shutdown');
  });
});
