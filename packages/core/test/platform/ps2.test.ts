import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { isA20GateOpen } from '../../src/memory/a20.js';
import { keyPressed, ps2 } from '../../src/platform/ps2.js';
import { definePlugin } from '../../src/plugin/define.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { input, lineRecorder, machineWithPorts, output } from '../support/port-access.js';

const [DATA, COMMAND] = [0x60, 0x64] as const;

let machine: Machine;
let lines: ReturnType<typeof lineRecorder>;
let said: string[];

beforeEach(() => {
  lines = lineRecorder();
  machine = machineWithPorts(ps2, lines.plugin);
  said = [];
  machine.emissions$.subscribe(({ type }) => void said.push(type));
});

const command = (byte: number) => output(machine, COMMAND, byte);
const send = (byte: number) => output(machine, DATA, byte);
const status = () => input(machine, COMMAND);
const press = (...scanCodes: readonly number[]) =>
  machine.apply(keyPressed.create({ scanCodes: Uint8Array.from(scanCodes) }));

/** Everything that waits in the output buffer, as software that polls reads it. */
function received(): readonly number[] {
  const bytes: number[] = [];
  while ((status() & 0x01) !== 0) bytes.push(input(machine, DATA));
  return bytes;
}

function toMouse(byte: number): readonly number[] {
  command(0xd4);
  send(byte);
  return received();
}

describe('the keyboard controller', () => {
  it('passes its tests as software that initialises it makes them', () => {
    command(0xad);
    command(0xa7);
    command(0xaa);
    expect(received()).toEqual([0x55]);
    command(0xab);
    expect(received()).toEqual([0x00]);
    command(0xa9);
    expect(received()).toEqual([0x00]);
    command(0xc0);
    expect(received()).toEqual([0x80]);
  });

  it('keeps its command byte, whose bits the commands of the ports switch', () => {
    command(0x60);
    send(0x47);
    command(0xad);
    command(0xa7);
    command(0x20);
    expect(received()).toEqual([0x77]);
    command(0xae);
    command(0xa8);
    command(0x20);
    expect(received()).toEqual([0x47]);
    expect(status()).toBe(0x1c); // not locked, the last write was a command, self test passed
  });

  it('gives the last byte again while the output buffer is empty', () => {
    command(0xaa);
    expect([input(machine, DATA), input(machine, DATA), status() & 1]).toEqual([0x55, 0x55, 0]);
  });

  it('lets software put bytes where those of the devices come', () => {
    command(0xd2);
    send(0x1e);
    expect([status() & 0x21, input(machine, DATA)]).toEqual([0x01, 0x1e]);
    command(0xd3);
    send(0x42);
    expect([status() & 0x21, input(machine, DATA)]).toEqual([0x21, 0x42]);
  });

  it.each([
    ['command FEH', () => command(0xfe)],
    [
      'bit 0 of the output port',
      () => {
        command(0xd1);
        send(0x02);
      },
    ],
  ])('asks for a reset by %s', (_name, act) => {
    act();
    expect(said).toEqual(['machine/resetRequested']);
  });

  it('ends the run at a reset', () => {
    const resetting = machineWith(hex('b0 fe e6 64 f4'), { plugins: [ps2] }); // mov al, 0xfe; out 0x64, al; hlt
    expect(resetting.run()).toEqual({ steps: 2, stop: { reason: 'reset', device: 'keyboard controller' } });
  });

  it('opens and closes the A20 gate', () => {
    const gates: boolean[] = [];
    const probe = definePlugin({
      name: 'probe',
      version: '1.0.0',
      apiVersion: 1,
      ports: [{ first: 0x80, last: 0x80, write: ({ draft }) => void gates.push(isA20GateOpen(draft)) }],
    });
    machine = machineWithPorts(ps2, probe);
    const writeOutputPort = (byte: number) => {
      command(0xd1);
      send(byte);
      output(machine, 0x80, 0);
    };
    writeOutputPort(0xdd);
    command(0xd0);
    expect(received()).toEqual([0xcd]);
    writeOutputPort(0xdf);
    command(0xd0);
    expect(received()).toEqual([0xcf]);
    command(0xdd);
    output(machine, 0x80, 0);
    command(0xdf);
    output(machine, 0x80, 0);
    expect(gates).toEqual([false, true, false, true]);
    expect(said).toEqual([]);
  });
});

describe('the keyboard', () => {
  it('interrupts for each byte, translated to scan code set 1', () => {
    press(0x1c); // A
    expect(lines.taken()).toBe('+1');
    expect(received()).toEqual([0x1e]);
    press(0xf0, 0x1c);
    press(0xe0, 0x75); // cursor up
    expect(received()).toEqual([0x9e, 0xe0, 0x48]);
    expect(lines.taken()).toBe('-1 +1 -1 +1 -1 +1 -1');
  });

  it('is heard as it speaks without translation, and without interrupts', () => {
    command(0x60);
    send(0x04);
    press(0xf0, 0x1c);
    expect(received()).toEqual([0xf0, 0x1c]);
    expect(lines.taken()).toBe('');
  });

  it('waits while its interface is disabled', () => {
    command(0xad);
    press(0x1c);
    expect(received()).toEqual([]);
    command(0xae);
    expect(received()).toEqual([0x1e]);
  });

  it('answers commands', () => {
    const answers = (...bytes: readonly number[]) =>
      bytes.flatMap((byte) => {
        send(byte);
        return [...received()];
      });
    expect(answers(0xee)).toEqual([0xee]);
    expect(answers(0xf2)).toEqual([0xfa, 0xab, 0x41]); // 83H, translated
    expect(answers(0xed, 0x07)).toEqual([0xfa, 0xfa]);
    expect(answers(0xf3, 0x20)).toEqual([0xfa, 0xfa]);
    expect(answers(0xf0, 0x01, 0xf0, 0x00)).toEqual([0xfa, 0xfa, 0xfa, 0xfa, 0x43]); // 1, translated
    expect(answers(0xff)).toEqual([0xfa, 0xaa]);
    expect(answers(0x00)).toEqual([0xfe]);
  });

  it('says nothing of keys while it is disabled, and loses what its buffer cannot hold', () => {
    send(0xf5);
    expect(received()).toEqual([0xfa]);
    press(0x1c);
    expect(received()).toEqual([]);
    send(0xf4);
    expect(received()).toEqual([0xfa]);
    press(...new Array<number>(16).fill(0x1c));
    press(0x1c, 0x1c);
    expect(received()).toHaveLength(16);
  });
});

describe('the mouse', () => {
  beforeEach(() => {
    command(0xa8);
    lines.taken();
  });

  it('resets, tells its ID, and is one that nobody moves', () => {
    expect(toMouse(0xff)).toEqual([0xfa, 0xaa, 0x00]);
    expect(toMouse(0xf2)).toEqual([0xfa, 0x00]);
    expect(toMouse(0xf4)).toEqual([0xfa]);
    expect(toMouse(0xeb)).toEqual([0xfa, 0x08, 0x00, 0x00]);
    expect([...toMouse(0xf3), ...toMouse(100)]).toEqual([0xfa, 0xfa]);
    expect(toMouse(0x01)).toEqual([0xfe]);
  });

  it('has its own interrupt line and its bit of the status register', () => {
    command(0x60);
    send(0x47);
    command(0xd4);
    send(0xf4);
    expect([lines.taken(), status() & 0x21]).toEqual(['+12', 0x21]);
    expect(input(machine, DATA)).toBe(0xfa);
    expect(lines.taken()).toBe('-12');
  });
});
