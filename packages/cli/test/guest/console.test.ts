// Where the bytes of devices go, and when they are passed on.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, definePlugin, rawImage } from '@retrovisor/core';
import { afterAll, describe, expect, it } from 'vitest';
import { GuestConsole } from '../../src/guest/console.js';
import { Output } from '../../src/output/output.js';

const folder = mkdtempSync(join(tmpdir(), 'retrovisor-console-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What stdout would get. */
class Collected extends Output {
  readonly pieces: string[] = [];

  constructor() {
    super({ json: false });
  }

  override write(text: string | Uint8Array): void {
    this.pieces.push(Buffer.from(text).toString());
  }
}

const DEVICES = ['debugcon', 'com1', 'com2'];

/** A machine whose ports 10H, 11H and 12H are the consoles of three devices, and which writes some bytes there. */
function machineThatWrites(bytes: readonly (readonly [port: number, text: string])[]) {
  const plugin = definePlugin({
    name: 'consoles',
    version: '1.0.0',
    apiVersion: 1,
    ports: DEVICES.map((device, index) => ({
      first: 0x10 + index,
      last: 0x10 + index,
      write: (cpu, _port, value) =>
        void cpu.draft.emissions.push({ type: 'console/byteWritten', position: cpu.position, device, byte: value }),
    })),
  });
  // MOV AL, byte; OUT port, AL
  const code = bytes.flatMap(([port, text]) => [...Buffer.from(text)].flatMap((byte) => [0xb0, byte, 0xe6, port]));
  const boot = rawImage({ bytes: Uint8Array.from([...code, 0xf4]), mode: 'long', load: 0x10_0000 });
  return createMachine({ profile: 'intel-server', plugins: [plugin], boot });
}

describe('the consoles of a guest', () => {
  it('are passed on line by line, what has not ended when asked', () => {
    const machine = machineThatWrites([[0x10, 'one\ntwo']]);
    const output = new Collected();
    const console = new GuestConsole(machine, output, []);
    machine.run();
    expect(output.pieces).toEqual(['one\n']);
    console.flush();
    expect(output.pieces).toEqual(['one\n', 'two']);
  });

  it('are the debug console and the first serial port, and no other', () => {
    const machine = machineThatWrites([
      [0x10, 'd'],
      [0x11, '1'],
      [0x12, '2'],
    ]);
    const output = new Collected();
    const console = new GuestConsole(machine, output, []);
    machine.run();
    console.close();
    expect(output.pieces).toEqual(['d1']);
  });

  it('go where --serial says, a port each', () => {
    const machine = machineThatWrites([
      [0x10, 'd'],
      [0x11, '1'],
      [0x12, '2'],
    ]);
    const output = new Collected();
    const file = join(folder, 'com2');
    const console = new GuestConsole(machine, output, ['none', `file:${file}`]);
    machine.run();
    console.close();
    expect({ stdout: output.pieces, file: readFileSync(file, 'utf8') }).toEqual({ stdout: ['d'], file: '2' });
  });

  it('are no more than a PC has', () => {
    const ports = ['none', 'none', 'none', 'none', 'stdio'];
    expect(() => new GuestConsole(machineThatWrites([]), new Collected(), ports)).toThrow('a PC has 4 serial ports');
  });
});
