// 8042: the keyboard controller of a PC at ports 60H and 64H, with a keyboard and a mouse. Left out: the time that bytes take
// on the wire, and the password. A byte from a device is in the output buffer as soon as that is free.
import { bytes } from '../event/codec.js';
import { defineEvent } from '../event/define.js';
import { isA20GateOpen, setA20Gate } from '../memory/a20.js';
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { bytePorts } from './byte-ports.js';
import { requestReset } from './machine-request.js';
import {
  KEYBOARD_AT_RESET,
  KEYBOARD_COMMANDS,
  MOUSE_AT_RESET,
  MOUSE_COMMANDS,
  type Ps2Device,
  sendToDevice,
} from './ps2-device.js';
import { BREAK_PREFIX, translated } from './scan-code-set.js';

const PLUGIN = 'ps2';
const DATA_PORT = 0x60;
const COMMAND_PORT = 0x64;
const KEYBOARD_LINE = 1;
const MOUSE_LINE = 12;
/** Bytes that a keyboard keeps; more are lost. */
const KEYBOARD_BUFFER = 16;

/** Status register, port 64H. */
const STATUS = { OBF: 0x01, SYS: 0x04, A2: 0x08, INH: 0x10, AUX_OBF: 0x20 } as const;
/** Command byte: byte 0 of the controller's memory. */
const COMMAND = { INT: 0x01, INT2: 0x02, SYS: 0x04, EN: 0x10, EN2: 0x20, XLATE: 0x40 } as const;
/** Output port. `idle` are the lines to the keyboard and to the mouse, which nobody pulls. */
const OUTPUT = { RESET: 0x01, A20: 0x02, OBF: 0x10, AUX_OBF: 0x20, idle: 0xcc } as const;

interface Controller {
  commandByte: number;
  /** What port 60H reads next, and from where; null: nothing new. */
  output: { readonly byte: number; readonly source: 'keyboard' | 'mouse' | 'controller' } | null;
  /** What port 60H read last: reading again gives it again. */
  last: number;
  /** The command to port 64H whose parameter is the next byte to port 60H. */
  awaitsParameterOf: number | null;
  /** The last write went to port 64H. */
  commandLast: boolean;
  /** The break prefix came, which translation joins with the byte after it. */
  isBreak: boolean;
  readonly keyboard: Ps2Device;
  readonly mouse: Ps2Device;
}

const device = (atReset: Readonly<Ps2Device>): Ps2Device => ({ ...atReset, queue: [] });

/** Firmware leaves the keyboard enabled, translated and interrupting, and the mouse disabled. */
const slice = defineSlice<Controller>(PLUGIN, {
  version: 1,
  initial: () => ({
    commandByte: COMMAND.INT | COMMAND.SYS | COMMAND.EN2 | COMMAND.XLATE,
    output: null,
    last: 0,
    awaitsParameterOf: null,
    commandLast: false,
    isBreak: false,
    keyboard: device(KEYBOARD_AT_RESET),
    mouse: device(MOUSE_AT_RESET),
  }),
});

const isSet = ({ commandByte }: Controller, bit: number): boolean => (commandByte & bit) !== 0;

/** The interrupt line that the output buffer drives. */
function drivenLine(controller: Controller): number | undefined {
  if (controller.output === null) return undefined;
  if (controller.output.source === 'mouse') return isSet(controller, COMMAND.INT2) ? MOUSE_LINE : undefined;
  return isSet(controller, COMMAND.INT) ? KEYBOARD_LINE : undefined;
}

/** Changes the controller, fills its output buffer, and drives its lines. */
function change(draft: MachineDraft, recipe: (controller: Controller) => void): void {
  drive(draft, recipe);
  drive(draft, fillOutputBuffer); // an own step: between two bytes the line is low
}

function drive(draft: MachineDraft, recipe: (controller: Controller) => void): void {
  const before = drivenLine(slice.of(draft));
  slice.change(draft, recipe);
  const after = drivenLine(slice.of(draft));
  if (before === after) return;
  if (before !== undefined) draft.setInterruptLine(before, false);
  if (after !== undefined) draft.setInterruptLine(after, true);
}

function fillOutputBuffer(controller: Controller): void {
  const { keyboard, mouse } = controller;
  while (controller.output === null && !isSet(controller, COMMAND.EN) && keyboard.queue.length > 0)
    takeFromKeyboard(controller, keyboard.queue.shift() ?? 0);
  if (controller.output === null && !isSet(controller, COMMAND.EN2) && mouse.queue.length > 0)
    controller.output = { byte: mouse.queue.shift() ?? 0, source: 'mouse' };
}

/** A byte of the keyboard, which translation may keep back until the next one. */
function takeFromKeyboard(controller: Controller, byte: number): void {
  const isTranslated = isSet(controller, COMMAND.XLATE);
  if (isTranslated && byte === BREAK_PREFIX) {
    controller.isBreak = true;
    return;
  }
  controller.output = { byte: isTranslated ? translated(byte, controller.isBreak) : byte, source: 'keyboard' };
  controller.isBreak = false;
}

/** Bytes of a key as the keyboard sends them, in its scan code set (2, unless software chose another). */
export const keyPressed = defineEvent('keyboard/keyPressed', {
  payload: { scanCodes: bytes },
  apply(draft, { scanCodes }) {
    const { keyboard } = slice.of(draft);
    if (!keyboard.isReporting || keyboard.queue.length + scanCodes.length > KEYBOARD_BUFFER) return;
    change(draft, (controller) => void controller.keyboard.queue.push(...scanCodes));
  },
});

type Source = NonNullable<Controller['output']>['source'];

/** Puts a byte into the output buffer: the controller's own, or one that software wants to look like a device's. */
function put(draft: MachineDraft, byte: number, source: Source): void {
  change(draft, (controller) => {
    controller.output = { byte, source };
  });
}

const answer = (draft: MachineDraft, byte: number): void => put(draft, byte, 'controller');
const puts =
  (source: Source) =>
  ({ draft }: Cpu, byte: number): void =>
    put(draft, byte, source);

function setCommandByte(draft: MachineDraft, set: number, clear: number): void {
  change(draft, (controller) => {
    controller.commandByte = (controller.commandByte & ~clear) | set;
  });
}

function outputPort(draft: MachineDraft): number {
  const { output } = slice.of(draft);
  const full = output === null ? 0 : output.source === 'mouse' ? OUTPUT.AUX_OBF : OUTPUT.OBF;
  return OUTPUT.idle | full | OUTPUT.RESET | (isA20GateOpen(draft) ? OUTPUT.A20 : 0);
}

function writeOutputPort(cpu: Cpu, byte: number): void {
  setA20Gate(cpu.draft, (byte & OUTPUT.A20) !== 0);
  if ((byte & OUTPUT.RESET) === 0) requestReset(cpu, 'keyboard controller');
}

function toKeyboard({ draft }: Cpu, byte: number): void {
  change(draft, ({ keyboard }) => sendToDevice(keyboard, KEYBOARD_COMMANDS, byte));
}

function toMouse({ draft }: Cpu, byte: number): void {
  change(draft, ({ mouse }) => sendToDevice(mouse, MOUSE_COMMANDS, byte));
}

function selfTest({ draft }: Cpu): void {
  setCommandByte(draft, COMMAND.SYS, 0);
  answer(draft, 0x55);
}

/** Sets or clears one bit of the command byte. */
const switches =
  (set: number, clear: number) =>
  ({ draft }: Cpu): void =>
    setCommandByte(draft, set, clear);
const answers =
  (byte: number) =>
  ({ draft }: Cpu): void =>
    answer(draft, byte);

/** Commands to port 64H that act at once. */
const COMMANDS: ReadonlyMap<number, (cpu: Cpu) => void> = new Map([
  [0x20, ({ draft }: Cpu) => answer(draft, slice.of(draft).commandByte)],
  [0xa7, switches(COMMAND.EN2, 0)],
  [0xa8, switches(0, COMMAND.EN2)],
  [0xa9, answers(0x00)], // the mouse's lines are good
  [0xaa, selfTest],
  [0xab, answers(0x00)], // the keyboard's lines are good
  [0xad, switches(COMMAND.EN, 0)],
  [0xae, switches(0, COMMAND.EN)],
  [0xc0, answers(0x80)], // input port: the keyboard is not locked
  [0xd0, ({ draft }: Cpu) => answer(draft, outputPort(draft))],
  [0xdd, ({ draft }: Cpu) => setA20Gate(draft, false)],
  [0xdf, ({ draft }: Cpu) => setA20Gate(draft, true)],
]);

/** Commands to port 64H whose parameter follows at port 60H. */
const PARAMETERS: ReadonlyMap<number, (cpu: Cpu, byte: number) => void> = new Map([
  [0x60, ({ draft }: Cpu, byte: number) => setCommandByte(draft, byte, 0xff)],
  [0xd1, writeOutputPort],
  [0xd2, puts('keyboard')],
  [0xd3, puts('mouse')],
  [0xd4, toMouse],
]);
/** Commands F0H to FFH pull the lines of the output port low for a moment whose bits are 0. */
const PULSE = 0xf0;

function writeCommand(cpu: Cpu, byte: number): void {
  slice.change(cpu.draft, (controller) => {
    controller.awaitsParameterOf = PARAMETERS.has(byte) ? byte : null;
    controller.commandLast = true;
  });
  COMMANDS.get(byte)?.(cpu);
  if (byte >= PULSE && (byte & OUTPUT.RESET) === 0) requestReset(cpu, 'keyboard controller');
}

function writeData(cpu: Cpu, byte: number): void {
  const { awaitsParameterOf } = slice.of(cpu.draft);
  slice.change(cpu.draft, (controller) => {
    controller.awaitsParameterOf = null;
    controller.commandLast = false;
  });
  if (awaitsParameterOf !== null) PARAMETERS.get(awaitsParameterOf)?.(cpu, byte);
  else {
    setCommandByte(cpu.draft, 0, COMMAND.EN); // what is for the keyboard enables it
    toKeyboard(cpu, byte);
  }
}

function readData({ draft }: Cpu): number {
  const { output, last } = slice.of(draft);
  if (output === null) return last;
  change(draft, (controller) => {
    controller.last = output.byte;
    controller.output = null;
  });
  return output.byte;
}

function status({ draft }: Cpu): number {
  const controller = slice.of(draft);
  const { output } = controller;
  return (
    STATUS.INH |
    (isSet(controller, COMMAND.SYS) ? STATUS.SYS : 0) |
    (controller.commandLast ? STATUS.A2 : 0) |
    (output === null ? 0 : STATUS.OBF) |
    (output?.source === 'mouse' ? STATUS.AUX_OBF : 0)
  );
}

function ps2View(state: MachineState): readonly View[] {
  const { commandByte, output, keyboard, mouse } = state.plugins[PLUGIN] as Controller;
  const hex = (value: number) => `0x${value.toString(16).padStart(2, '0')}`;
  const row = (name: string, { isReporting, queue }: Ps2Device) =>
    [name, isReporting ? 'yes' : 'no', queue.map(hex).join(' ')] as const;
  return [
    {
      title: 'Keyboard controller',
      columns: ['command byte', 'output buffer', 'from'],
      rows: [[hex(commandByte), output === null ? 'empty' : hex(output.byte), output?.source ?? '']],
    },
    {
      title: 'PS/2 devices',
      columns: ['device', 'reports', 'waiting'],
      rows: [row('keyboard', keyboard), row('mouse', mouse)],
    },
  ];
}

/**
 * The keyboard controller, a keyboard and a mouse. Keys are the event `keyboard/keyPressed`.
 * @example createMachine({ profile: 'intel-server', plugins: [ps2] });
 */
export const ps2: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [
    bytePorts({ first: DATA_PORT, last: DATA_PORT, read: readData, write: (cpu, _port, byte) => writeData(cpu, byte) }),
    bytePorts({
      first: COMMAND_PORT,
      last: COMMAND_PORT,
      read: status,
      write: (cpu, _port, byte) => writeCommand(cpu, byte),
    }),
  ],
  events: [keyPressed],
  views: { ps2: ps2View },
});
