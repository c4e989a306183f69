import { beforeEach, describe, expect, it } from 'vitest';
import { CYCLES_PER_SECOND } from '../../src/interrupt/virtual-time.js';
import type { Machine } from '../../src/machine/machine.js';
import { rtc, rtcStartingAt } from '../../src/platform/rtc.js';
import { definePlugin } from '../../src/plugin/define.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';
import { input, lineRecorder, machineWithPorts, output } from '../support/port-access.js';

const [SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY] = [0, 2, 4, 6, 7, 8, 9, 0x32] as const;
const [SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM] = [1, 3, 5] as const;
const [A, B, C, D] = [0x0a, 0x0b, 0x0c, 0x0d] as const;

let machine: Machine;
let lines: ReturnType<typeof lineRecorder>;

function at(start: string): void {
  lines = lineRecorder();
  machine = machineWithPorts(rtcStartingAt(start), lines.plugin);
}

beforeEach(() => at('1999-12-31T23:59:58'));

function read(address: number): number {
  output(machine, 0x70, address);
  return input(machine, 0x71);
}

function write(address: number, byte: number): void {
  output(machine, 0x70, address);
  output(machine, 0x71, byte);
}

/** Moves virtual time on, as if so many steps had been taken; fractions of a second as cycles. */
function pass(seconds: number): void {
  const cpu = machine.processor(0);
  cpu.set('cycles', cpu.read('cycles') + BigInt(Math.round(seconds * CYCLES_PER_SECOND)));
  cpu.step(); // a boundary, where timers are looked at
}

const hexOf = (...addresses: readonly number[]) => addresses.map((address) => read(address).toString(16)).join(' ');
const DATE = [CENTURY, YEAR, MONTH, DAY, HOURS, MINUTES, SECONDS] as const;

describe('the time of an MC146818', () => {
  it('passes with virtual time, in BCD, over the end of a century', () => {
    expect(hexOf(...DATE, WEEKDAY)).toBe('19 99 12 31 23 59 58 6');
    pass(2);
    expect(hexOf(...DATE, WEEKDAY)).toBe('20 0 1 1 0 0 0 7');
    expect(read(D)).toBe(0x80);
  });

  it('is the same for machines that start alike', () => {
    const other = machineWith([], { plugins: [rtc] });
    expect(other.state.plugins['rtc']).toEqual(machineWith([], { plugins: [rtc] }).state.plugins['rtc']);
    expect(rtc.configuration).toEqual({ start: '2000-01-01T00:00:00' });
  });

  it('is set between SET and its end, and goes on from there', () => {
    write(B, 0x82);
    for (const [address, byte] of [
      [CENTURY, 0x20],
      [YEAR, 0x24],
      [MONTH, 0x02],
      [DAY, 0x28],
      [HOURS, 0x23],
      [MINUTES, 0x59],
      [SECONDS, 0x59],
    ] as const)
      write(address, byte);
    pass(5); // it stands still
    expect(hexOf(...DATE)).toBe('20 24 2 28 23 59 59');
    write(B, 0x02);
    pass(1);
    expect(hexOf(...DATE)).toBe('20 24 2 29 0 0 0');
  });

  it('is binary or of twelve hours as register B says', () => {
    write(B, 0x84);
    write(HOURS, 12 + 0x80);
    write(MINUTES, 34);
    write(SECONDS, 56);
    write(B, 0x04);
    expect([read(HOURS), read(MINUTES), read(SECONDS)]).toEqual([0x8c, 34, 56]); // 12 PM is noon
    pass(12 * 3600);
    expect([read(HOURS), read(MINUTES), read(SECONDS)]).toEqual([0x0c, 34, 56]); // 12 AM is midnight
    pass(3600);
    expect(read(HOURS)).toBe(1);
  });

  it('is near an update for the last 244 microseconds of a second', () => {
    pass(0.9997);
    expect(read(A)).toBe(0x26);
    pass(0.0001);
    expect(read(A)).toBe(0xa6);
    write(B, 0x82);
    expect(read(A)).toBe(0x26);
  });

  it('stands while the divider is reset, and ticks half a second after', () => {
    write(A, 0x66);
    pass(10);
    expect(read(SECONDS)).toBe(0x58);
    write(A, 0x26);
    pass(0.49);
    expect(read(SECONDS)).toBe(0x58);
    pass(0.02);
    expect(read(SECONDS)).toBe(0x59);
  });
});

describe('interrupts of an MC146818', () => {
  it('come with each update, until register C is read', () => {
    write(B, 0x12);
    pass(0.9);
    expect(lines.taken()).toBe('');
    pass(0.1);
    expect(lines.taken()).toBe('+8');
    expect([read(C) & 0xb0, read(C)]).toEqual([0x90, 0]);
    expect(lines.taken()).toBe('-8');
    pass(1);
    expect(lines.taken()).toBe('+8');
  });

  it('come at the rate that register A selects', () => {
    write(A, 0x2f); // 2 Hz
    write(B, 0x42);
    const before = lines.taken();
    pass(0.4);
    expect([before, lines.taken()]).toEqual(['', '']);
    pass(0.1);
    expect(lines.taken()).toBe('+8');
    expect(read(C) & 0xc0).toBe(0xc0);
    write(A, 0x21); // 256 Hz, as rate 8
    pass(1 / 256);
    expect(read(C) & 0xc0).toBe(0xc0);
    write(A, 0x20);
    pass(1);
    expect(read(C) & 0xc0).toBe(0);
  });

  it('wake a processor that waits', () => {
    const controller = definePlugin({
      name: 'controller',
      version: '1.0.0',
      apiVersion: 1,
      interruptController: {
        lineChanged: (draft, line, high) => draft.requestInterrupt(line === 8 && high),
        acknowledge: () => 0x70,
      },
    });
    // mov al, 0x0b; out 0x70, al; mov al, 0x12; out 0x71, al; sti; hlt
    const code = hex('b0 0b e6 70 b0 12 e6 71 fb f4');
    const woken = machineWithIdt(code, [{ vector: 0x70 }], { plugins: [rtc, controller] });
    woken.run({ maxSteps: 8 });
    expect(woken.readRegister(0, 'RIP')).toBe(BigInt(HANDLER));
    expect(woken.readRegister(0, 'cycles')).toBeGreaterThanOrEqual(BigInt(CYCLES_PER_SECOND));
  });

  it('come at the alarm, whose bytes may match every value', () => {
    write(SECONDS_ALARM, 0x05);
    write(MINUTES_ALARM, 0xff);
    write(HOURS_ALARM, 0xc0);
    write(B, 0x22);
    pass(6);
    expect([lines.taken(), read(C) & 0x20]).toEqual(['', 0]);
    pass(1.5);
    expect([lines.taken(), read(C) & 0xa0, read(SECONDS)]).toEqual(['+8', 0xa0, 0x05]);
    pass(59);
    expect(lines.taken()).toBe('-8');
    pass(1);
    expect(lines.taken()).toBe('+8');
  });

  it('set flags also while they are not enabled, and the line follows the enable bits', () => {
    pass(1);
    expect(lines.taken()).toBe('');
    write(B, 0x12);
    expect(lines.taken()).toBe('+8');
    write(B, 0x92); // SET clears UIE
    expect([lines.taken(), read(B)]).toEqual(['-8', 0x82]);
  });
});

describe('the memory of the clock', () => {
  it('tells the sizes of memory and the number of processors', () => {
    const word = (address: number) => read(address) + read(address + 1) * 256;
    expect([word(0x15), word(0x17), word(0x30), word(0x34), read(0x5f)]).toEqual([640, 15 * 1024, 15 * 1024, 0, 0]);
    let sum = 0;
    for (let address = 0x10; address <= 0x2d; address++) sum += read(address);
    expect(read(0x2e) * 256 + read(0x2f)).toBe(sum);
  });

  it('tells what lies above 16 MiB and 4 GiB', () => {
    const large = machineWith([], { plugins: [rtc], memory: 5 * 2 ** 30, processors: 4 });
    const { bytes } = large.state.plugins['rtc'] as { bytes: readonly number[] };
    expect([bytes[0x34], bytes[0x35], bytes[0x5b], bytes[0x5c], bytes[0x5d]]).toEqual([0x00, 0xbf, 0x00, 0x80, 0x00]);
    expect(bytes[0x5f]).toBe(3);
  });

  it('keeps what is written, at the index without the bit that masks NMI', () => {
    output(machine, 0x70, 0x8f);
    output(machine, 0x71, 0x0a);
    expect(read(0x0f)).toBe(0x0a);
    expect(input(machine, 0x70)).toBe(0xff);
  });
});
