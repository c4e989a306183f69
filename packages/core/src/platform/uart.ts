// 16550A: the serial ports of a PC. Left out: break, parity and framing errors, which no received byte has here, and the time
// that sending takes: what is written leaves at once, so that the transmitter is always empty.
import { u8, u16 } from '../event/codec.js';
import { defineEvent } from '../event/define.js';
import { CYCLES_PER_SECOND } from '../interrupt/virtual-time.js';
import { definePlugin, type Plugin, type PortRange, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { bytePorts } from './byte-ports.js';
import {
  drivesLine,
  FCR,
  FIFO_BYTES,
  fourCharacters,
  IER,
  interruptIdentification,
  LCR,
  LSR,
  MCR,
  MSR,
  modemInputs,
  reportsTransmitter,
  triggerLevel,
  UART_AT_RESET,
  type Uart,
} from './uart-registers.js';

const PLUGIN = 'uart';

/** A serial port: its name in emissions and places, its first I/O port, its interrupt line. */
export interface SerialPort {
  readonly name: string;
  readonly port: number;
  readonly line: number;
}

/** Where the serial ports of a PC are. The first is there by default. */
export const SERIAL_PORTS = [
  { name: 'com1', port: 0x3f8, line: 4 },
  { name: 'com2', port: 0x2f8, line: 3 },
  { name: 'com3', port: 0x3e8, line: 4 },
  { name: 'com4', port: 0x2e8, line: 3 },
] as const satisfies readonly SerialPort[];

interface PortState extends Uart, SerialPort {}

/** The ports by name. */
const slice = defineSlice<Record<string, PortState>>(PLUGIN, { version: 1, initial: () => ({}) });

function at(draft: MachineDraft, name: string): PortState {
  return slice.of(draft)[name] as PortState;
}

/** Whether some port drives a line: those of a PC share two. */
function isLineDriven(draft: MachineDraft, line: number): boolean {
  return Object.values(slice.of(draft)).some((uart) => uart.line === line && drivesLine(uart));
}

/** Changes a port, and the level of its interrupt line with it. */
function change(draft: MachineDraft, name: string, recipe: (uart: Uart) => void): void {
  const { line } = at(draft, name);
  const before = isLineDriven(draft, line);
  slice.change(draft, (ports) => recipe(ports[name] as Uart));
  const after = isLineDriven(draft, line);
  if (after !== before) draft.setInterruptLine(line, after);
}

function set(draft: MachineDraft, name: string, values: Partial<Uart>): void {
  change(draft, name, (uart) => void Object.assign(uart, values));
}

/** A byte arrives: from outside, or from the transmitter in loopback mode. */
function receive(draft: MachineDraft, name: string, byte: number): void {
  change(draft, name, (uart) => {
    const hasFifo = (uart.FCR & FCR.FIFO_ENABLE) !== 0;
    if (uart.received.length === (hasFifo ? FIFO_BYTES : 1)) {
      uart.LSR |= LSR.OE; // a FIFO keeps what it has; without one the byte that waits is overwritten
      if (!hasFifo) uart.received[0] = byte;
    } else {
      uart.received.push(byte);
    }
    receiverChanged(draft, uart);
  });
}

/** LSR.DR, and the character timeout: the FIFO was read or filled, so that waiting starts again. */
function receiverChanged(draft: MachineDraft, uart: Uart): void {
  const { length } = uart.received;
  uart.LSR = length === 0 ? uart.LSR & ~LSR.DR : uart.LSR | LSR.DR;
  uart.timedOut = false;
  const waits = length > 0 && length < triggerLevel(uart);
  uart.timeoutAt = waits ? draft.now + fourCharacters(uart, CYCLES_PER_SECOND) : null;
}

/**
 * A byte arrives at a serial port. `port` is its first I/O port, 3F8H for COM1; where there is none nothing happens. A byte
 * that finds the receiver full is lost, and the guest can tell (LSR.OE). In loopback mode the line is not connected.
 */
export const serialReceived = defineEvent('uart/serialReceived', {
  payload: { port: u16, byte: u8 },
  apply(draft, { port, byte }) {
    const uart = Object.values(slice.of(draft)).find((each) => each.port === port);
    if (uart !== undefined && (uart.MCR & MCR.LOOP) === 0) receive(draft, uart.name, byte);
  },
});

/**
 * How many bytes a serial port can take before one is lost, for whoever feeds it: 0 where there is no port, and while its
 * line is not connected.
 */
export function receiverRoom(state: MachineState, port: number): number {
  const ports = (state.plugins[PLUGIN] ?? {}) as Readonly<Record<string, PortState>>;
  const found = Object.values(ports).find((each) => each.port === port);
  if (found === undefined || (found.MCR & MCR.LOOP) !== 0) return 0;
  return ((found.FCR & FCR.FIFO_ENABLE) !== 0 ? FIFO_BYTES : 1) - found.received.length;
}

/** What a read and a write of one register do. */
interface Register {
  readonly read: (cpu: Cpu, name: string) => number;
  readonly write: (cpu: Cpu, name: string, byte: number) => void;
}

const receiverBufferAndTransmitterHolding: Register = {
  read({ draft }, name) {
    const [byte] = at(draft, name).received;
    if (byte === undefined) return 0;
    change(draft, name, (uart) => {
      uart.received.shift();
      receiverChanged(draft, uart);
    });
    return byte;
  },
  write({ draft, position }, name, byte) {
    // The interrupt goes away and comes again: an edge, for who looks for edges.
    set(draft, name, { transmitterEmptied: false });
    if ((at(draft, name).MCR & MCR.LOOP) !== 0) receive(draft, name, byte);
    else draft.emissions.push({ type: 'console/byteWritten', position, device: name, byte });
    set(draft, name, { transmitterEmptied: true });
  },
};

const interruptEnable: Register = {
  read: ({ draft }, name) => at(draft, name).IER,
  write: ({ draft }, name, byte) =>
    change(draft, name, (uart) => {
      if ((byte & ~uart.IER & IER.ETBEI) !== 0) uart.transmitterEmptied = true; // enabled while it is empty
      uart.IER = byte & IER.defined;
    }),
};

const interruptIdentificationAndFifoControl: Register = {
  read({ draft }, name) {
    const iir = interruptIdentification(at(draft, name));
    if (reportsTransmitter(iir)) set(draft, name, { transmitterEmptied: false });
    return iir;
  },
  write: ({ draft }, name, byte) =>
    change(draft, name, (uart) => {
      const enabled = byte & FCR.FIFO_ENABLE;
      if ((byte & FCR.RCVR_FIFO_RESET) !== 0 || enabled !== (uart.FCR & FCR.FIFO_ENABLE)) uart.received = [];
      uart.FCR = enabled === 0 ? 0 : byte & FCR.kept; // the other bits are written only together with this one
      receiverChanged(draft, uart);
    }),
};

const modemControl: Register = {
  read: ({ draft }, name) => at(draft, name).MCR,
  write: ({ draft }, name, byte) =>
    change(draft, name, (uart) => {
      uart.MCR = byte & MCR.defined;
      const [before, after] = [uart.MSR, modemInputs(uart)];
      let deltas = ((before ^ after) >> 4) & MSR.deltas;
      if ((before & MSR.RI) === 0) deltas &= ~MSR.TERI; // of RI only the trailing edge
      uart.MSR = after | (before & MSR.deltas) | deltas;
    }),
};

const lineStatus: Register = {
  read({ draft }, name) {
    const { LSR: status } = at(draft, name);
    if ((status & LSR.errors) !== 0) set(draft, name, { LSR: status & ~LSR.errors });
    return status;
  },
  write: () => undefined, // for tests in the factory
};

const modemStatus: Register = {
  read({ draft }, name) {
    const { MSR: status } = at(draft, name);
    if ((status & MSR.deltas) !== 0) set(draft, name, { MSR: status & ~MSR.deltas });
    return status;
  },
  write: () => undefined,
};

/** A register that keeps what is written. */
const storage = (register: 'LCR' | 'SCR'): Register => ({
  read: ({ draft }, name) => at(draft, name)[register],
  write: ({ draft }, name, byte) => set(draft, name, { [register]: byte }),
});

const divisorLatch = (shift: 0 | 8): Register => ({
  read: ({ draft }, name) => (at(draft, name).divisor >> shift) & 0xff,
  write: ({ draft }, name, byte) =>
    change(draft, name, (uart) => {
      uart.divisor = (uart.divisor & ~(0xff << shift)) | (byte << shift);
    }),
});

/** By address: the data sheet's table of registers. */
const REGISTERS: readonly Register[] = [
  receiverBufferAndTransmitterHolding,
  interruptEnable,
  interruptIdentificationAndFifoControl,
  storage('LCR'),
  modemControl,
  lineStatus,
  modemStatus,
  storage('SCR'),
];
/** The same while LCR.DLAB is set. */
const DIVISOR_LATCH: readonly Register[] = [divisorLatch(0), divisorLatch(8)];

function registerAt(draft: MachineDraft, { name, port: first }: SerialPort, port: number): Register {
  const latch = (at(draft, name).LCR & LCR.DLAB) === 0 ? undefined : DIVISOR_LATCH[port - first];
  return latch ?? (REGISTERS[port - first] as Register);
}

const portsOf = (serial: SerialPort): PortRange =>
  bytePorts({
    first: serial.port,
    last: serial.port + REGISTERS.length - 1,
    read: (cpu, port) => registerAt(cpu.draft, serial, port).read(cpu, serial.name),
    write: (cpu, port, byte) => registerAt(cpu.draft, serial, port).write(cpu, serial.name, byte),
  });

/** When the first FIFO times out. */
function deadline(draft: MachineDraft): number | undefined {
  const times = Object.values(slice.of(draft)).flatMap(({ timeoutAt }) => timeoutAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function expire(draft: MachineDraft, now: number): void {
  for (const { name, timeoutAt } of Object.values(slice.of(draft))) {
    if (timeoutAt === null || timeoutAt > now) continue;
    change(draft, name, (uart) => {
      uart.timedOut = true;
      uart.timeoutAt = null;
    });
  }
}

const SHOWN = ['IER', 'FCR', 'LCR', 'MCR', 'LSR', 'MSR', 'SCR', 'divisor'] as const;

function uartView(state: MachineState): readonly View[] {
  const ports = Object.values(state.plugins[PLUGIN] as Record<string, PortState>);
  const hex = (value: number) => `0x${value.toString(16).padStart(2, '0')}`;
  return [
    {
      title: 'Serial ports',
      columns: ['name', 'port', 'line', 'IIR', ...SHOWN, 'received'],
      rows: ports.map((uart) => [
        uart.name,
        hex(uart.port),
        uart.line,
        hex(interruptIdentification(uart)),
        ...SHOWN.map((register) => hex(uart[register])),
        uart.received.map(hex).join(' '),
      ]),
    },
  ];
}

/**
 * Serial ports at addresses of one's choice; names, addresses and the eight ports of each are its own. What is written to
 * one is the emission `console/byteWritten` of a device of its name; what it receives is the event `uart/serialReceived`.
 * @example createMachine({ profile: 'intel-server', plugins: [serialPorts(SERIAL_PORTS.slice(0, 2))] });
 */
export function serialPorts(ports: readonly SerialPort[]): Plugin {
  const described = ports.map(({ name, port, line }) => ({ name, port, line }));
  return definePlugin({
    name: PLUGIN,
    version: '1.0.0',
    apiVersion: 1,
    configuration: { ports: described },
    machineSlice: {
      ...slice,
      initial: () => Object.fromEntries(described.map((serial) => [serial.name, { ...UART_AT_RESET, ...serial }])),
    },
    ports: described.map(portsOf),
    timer: { deadline, expire },
    events: [serialReceived],
    views: { uart: uartView },
  });
}

/**
 * The first serial port of a PC, at 3F8H with interrupt line 4.
 * @example createMachine({ profile: 'intel-server', plugins: [uart] });
 */
export const uart: Plugin = serialPorts(SERIAL_PORTS.slice(0, 1));
