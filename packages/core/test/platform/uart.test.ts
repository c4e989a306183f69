import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { SERIAL_PORTS, serialPorts, serialReceived } from '../../src/platform/uart.js';
import { parseLocation, readLocation } from '../../src/timeline/location.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { input, lineRecorder, machineWithPorts, output } from '../support/port-access.js';

const COM1 = 0x3f8;
/** Offsets from the first port. */
const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const FCR = IIR;

let machine: Machine;
let lines: ReturnType<typeof lineRecorder>;

const read = (register: number, port = COM1) => input(machine, port + register);
const write = (register: number, byte: number, port = COM1) => output(machine, port + register, byte);
const receive = (...bytes: readonly number[]) => {
  for (const byte of bytes) machine.apply(serialReceived.create({ port: COM1, byte }));
};

beforeEach(() => {
  lines = lineRecorder();
  machine = machineWithPorts(serialPorts(SERIAL_PORTS), lines.plugin);
});

describe('the registers of a 16550A', () => {
  it('are found by Linux: IER keeps four bits, SCR eight, loopback wires the modem, IIR shows the FIFOs', () => {
    write(IER, 0);
    expect(read(IER)).toBe(0);
    write(IER, 0xff);
    expect(read(IER)).toBe(0x0f);
    write(IER, 0);
    write(SCR, 0xa5);
    expect(read(SCR)).toBe(0xa5);
    write(MCR, 0x1a); // LOOP, OUT2, RTS
    expect(read(MSR) & 0xf0).toBe(0x90);
    write(MCR, 0xff);
    expect(read(MCR)).toBe(0x1f);
    write(FCR, 1);
    expect(read(IIR)).toBe(0xc1);
    write(FCR, 0);
    expect(read(IIR)).toBe(0x01);
  });

  it('have the divisor latch at the first two addresses while DLAB is set', () => {
    write(LCR, 0x83);
    write(DATA, 0x34);
    write(IER, 0x12);
    expect([read(DATA), read(IER), read(LCR)]).toEqual([0x34, 0x12, 0x83]);
    write(LCR, 0x03);
    expect([read(DATA), read(IER)]).toEqual([0, 0]);
    write(LCR, 0x80);
    expect([read(DATA), read(IER)]).toEqual([0x34, 0x12]);
  });

  it('are split among the bytes of a wider access, which finds ones behind the last', () => {
    // mov edx, 0x3ff; mov al, 0x5a; out dx, al; in ax, dx
    machine = machineWith(hex('ba ff 03 00 00 b0 5a ee 66 ed'), { plugins: [serialPorts(SERIAL_PORTS)] });
    machine.processor(0).step(4);
    expect(machine.readRegister(0, 'RAX') & 0xffffn).toBe(0xff5an);
  });

  it('are places, and a view', () => {
    write(SCR, 0x77, 0x2e8);
    const { definition, state } = machine;
    const place = parseLocation(definition, 'slice/uart/com4/SCR');
    expect(readLocation(definition, place, state)).toBe(0x77);
    const [view] = definition.plugins[0]?.views?.['uart']?.(state, definition) ?? [];
    expect(view?.rows.map((row) => [row[0], row[1], row[10]])).toEqual([
      ['com1', '0x3f8', '0x00'],
      ['com2', '0x2f8', '0x00'],
      ['com3', '0x3e8', '0x00'],
      ['com4', '0x2e8', '0x77'],
    ]);
  });
});

describe('the transmitter', () => {
  it('says each byte to the outside and is always empty', () => {
    const said: unknown[] = [];
    machine.emissions$.subscribe((emission) => void said.push(emission));
    write(DATA, 0x68);
    write(DATA, 0x69, 0x2f8);
    expect(said).toEqual([
      expect.objectContaining({ type: 'console/byteWritten', device: 'com1', byte: 0x68 }),
      expect.objectContaining({ type: 'console/byteWritten', device: 'com2', byte: 0x69 }),
    ]);
    expect(read(LSR)).toBe(0x60);
  });

  it('interrupts when it is enabled while empty, until IIR is read, and after each byte', () => {
    write(IER, 0x02);
    expect(lines.taken()).toBe('+4');
    expect([read(IIR), read(IIR)]).toEqual([0x02, 0x01]);
    expect(lines.taken()).toBe('-4');
    write(IER, 0x02); // is enabled already
    expect(read(IIR)).toBe(0x01);
    write(IER, 0x00);
    write(IER, 0x02); // what Linux looks for: an interrupt each time that it is enabled
    expect(read(IIR)).toBe(0x02);
    lines.taken();
    write(DATA, 0x21);
    expect(lines.taken()).toBe('+4');
    write(DATA, 0x21); // an answer, and the next one
    expect(lines.taken()).toBe('-4 +4');
  });
});

describe('the receiver', () => {
  it('holds one byte without FIFOs; the next one overwrites it, and LSR tells once', () => {
    write(IER, 0x01);
    receive(0x41);
    expect(lines.taken()).toBe('+4');
    expect([read(LSR), read(IIR)]).toEqual([0x61, 0x04]);
    receive(0x42);
    expect([read(LSR), read(LSR)]).toEqual([0x63, 0x61]);
    expect([read(DATA), read(LSR), read(DATA)]).toEqual([0x42, 0x60, 0]);
    expect(lines.taken()).toBe('-4');
  });

  it('keeps 16 bytes in the FIFO and loses the next one', () => {
    write(FCR, 0x01);
    const bytes = Array.from({ length: 16 }, (_, index) => 0x30 + index);
    receive(...bytes, 0x99);
    expect(read(LSR)).toBe(0x63);
    expect(bytes.map(() => read(DATA))).toEqual(bytes);
    expect(read(LSR)).toBe(0x60);
  });

  it.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])('interrupts at its trigger level: FCR %i, %i bytes', (fcr, level) => {
    write(IER, 0x01);
    write(FCR, fcr);
    receive(...new Array<number>(level - 1).fill(0x55));
    expect(read(IIR)).toBe(0xc1);
    receive(0x55);
    expect(read(IIR)).toBe(0xc4);
    expect(lines.taken()).toBe('+4');
    read(DATA);
    expect(lines.taken()).toBe('-4');
  });

  it('empties the FIFO when it is told so, or when FIFOs are switched', () => {
    write(FCR, 0x01);
    receive(1, 2);
    write(FCR, 0x03);
    expect(read(LSR)).toBe(0x60);
    receive(1, 2);
    write(FCR, 0x00);
    expect(read(LSR)).toBe(0x60);
  });

  it('interrupts for bytes below the trigger level after four characters without another', () => {
    write(LCR, 0x83);
    write(DATA, 1); // 115200 baud: a character of 10 bits takes 86,806 cycles
    write(IER, 0);
    write(LCR, 0x03);
    write(IER, 0x01);
    write(FCR, 0xc1);
    receive(0x41, 0x42);
    machine.writeMemory(CODE + 10, Uint8Array.from(hex('eb fe'))); // jmp $
    machine.processor(0).set('RIP', BigInt(CODE + 10));
    machine.run({ maxSteps: 347_222 });
    expect(lines.taken()).toBe('');
    machine.run({ maxSteps: 2 });
    expect(lines.taken()).toBe('+4');
    expect(read(IIR)).toBe(0xcc);
    expect(read(DATA)).toBe(0x41); // reading starts the wait again
    expect([lines.taken(), read(IIR)]).toEqual(['-4', 0xc1]);
  });

  it('hears nothing from outside in loopback mode, but what is sent', () => {
    write(MCR, 0x18);
    write(FCR, 0x01);
    write(IER, 0x01);
    receive(0x41);
    expect(read(LSR)).toBe(0x60);
    const said: unknown[] = [];
    machine.emissions$.subscribe((emission) => void said.push(emission));
    write(DATA, 0x5a);
    expect([read(LSR), read(IIR), read(DATA), said.length]).toEqual([0x61, 0xc4, 0x5a, 0]);
  });

  it('ignores a byte for a port that is not there', () => {
    const before = machine.state.plugins['uart'];
    machine.apply(serialReceived.create({ port: 0x1234, byte: 1 }));
    expect(machine.state.plugins['uart']).toBe(before);
  });
});

describe('interrupts of a serial port', () => {
  it('are identified by priority', () => {
    write(FCR, 0x00);
    write(IER, 0x0f);
    write(MCR, 0x10); // the modem's inputs fall: three deltas
    write(MCR, 0x08);
    receive(1, 2); // data, and an overrun
    expect(read(IIR)).toBe(0x06);
    read(LSR);
    expect(read(IIR)).toBe(0x04);
    read(DATA);
    expect(read(IIR)).toBe(0x02);
    expect(read(IIR)).toBe(0x00);
    expect(read(MSR)).toBe(0xbb);
    expect(read(IIR)).toBe(0x01);
    expect(read(MSR)).toBe(0xb0);
  });

  it('pass the gate of OUT2, which loopback mode closes', () => {
    write(MCR, 0x00);
    write(IER, 0x02);
    expect(lines.taken()).toBe('');
    write(MCR, 0x08);
    expect(lines.taken()).toBe('+4');
    write(MCR, 0x18);
    expect(lines.taken()).toBe('-4');
  });

  it('of two ports share a line, which stays high until both are answered', () => {
    write(IER, 0x02);
    write(IER, 0x02, 0x3e8);
    read(IIR);
    expect(lines.taken()).toBe('+4');
    read(IIR, 0x3e8);
    expect(lines.taken()).toBe('-4');
    write(IER, 0x02, 0x2f8);
    expect(lines.taken()).toBe('+3');
  });

  it('report only the trailing edge of RI', () => {
    write(MCR, 0x14);
    read(MSR);
    write(MCR, 0x10);
    expect(read(MSR)).toBe(0x04);
    write(MCR, 0x14);
    expect(read(MSR)).toBe(0x40);
  });
});
