// The I/O APIC (Intel's data sheet "82093AA I/O Advanced Programmable Interrupt Controller"), with the EOI register of later
// ones: pins become messages to local APICs. Lines are asserted or not; the polarity of an entry is kept and changes nothing,
// since it only says how an asserted line looks. Left out: pin 0, which on some boards is the output of the 8259.
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { DELIVERY_MODES, type DeliveryMode, sendInterrupt } from './interrupt-message.js';

interface IoApic {
  /** IOREGSEL: the register that IOWIN shows. */
  select: number;
  /** Bits 27:24 are the ID. */
  id: number;
  /** Asserted lines, by number. */
  lines: number;
  /** The redirection table: a low and a high half for each pin. */
  low: number[];
  high: number[];
}

const PLUGIN = 'io-apic';
const BASE = 0xfec0_0000;
const SIZE = 0x1000;
const PINS = 24;
/** The timer's line of the ISA bus has a pin of its own. */
const TIMER_LINE = 0;
const TIMER_PIN = 2;

/** Version 20H has the EOI register; bits 23:16 are the last pin. */
const VERSION = 0x20 | ((PINS - 1) << 16);
const ID_BITS = 0x0f00_0000;

/** Bits of the low half of an entry. */
const ENTRY = {
  vector: 0xff,
  logical: 1 << 11,
  remoteIrr: 1 << 14,
  level: 1 << 15,
  mask: 1 << 16,
} as const;
/** Delivery status, which is never seen pending, and remote IRR are not software's. */
const WRITABLE = 0x1_afff;
const DESTINATION = 0xff00_0000;

const slice = defineSlice<IoApic>(PLUGIN, {
  version: 1,
  initial: () => ({
    select: 0,
    id: 0,
    lines: 0,
    low: new Array<number>(PINS).fill(ENTRY.mask),
    high: new Array<number>(PINS).fill(0),
  }),
});

/** The lines behind a pin: line 2 of the ISA bus does not exist, and stands for the pin alone. */
const linesOf = (pin: number): number =>
  pin === TIMER_PIN ? (1 << TIMER_LINE) | (1 << TIMER_PIN) : pin === TIMER_LINE ? 0 : 1 << pin;
const pinOf = (line: number): number => (line === TIMER_LINE ? TIMER_PIN : line);
const isAsserted = ({ lines }: IoApic, pin: number): boolean => (lines & linesOf(pin)) !== 0;

const modeOf = (low: number): DeliveryMode => DELIVERY_MODES[(low >>> 8) & 7] ?? 'reserved';
/** Only these two are acknowledged by an end of interrupt; others are taken as edges, whatever the entry says. */
const isLevel = (low: number): boolean =>
  (low & ENTRY.level) !== 0 && (modeOf(low) === 'fixed' || modeOf(low) === 'lowest priority');

function setEntry(draft: MachineDraft, pin: number, low: number): void {
  slice.change(draft, (ioApic) => {
    ioApic.low[pin] = low;
  });
}

/** Sends what an entry says. Remote IRR is set when a local APIC accepted a level. */
function deliver(draft: MachineDraft, pin: number): void {
  const { low: entries, high } = slice.of(draft);
  const low = entries[pin] ?? ENTRY.mask;
  const level = isLevel(low);
  const isAccepted = sendInterrupt(draft, {
    destination: { id: (high[pin] ?? 0) >>> 24, logical: (low & ENTRY.logical) !== 0, wide: false },
    mode: modeOf(low),
    vector: low & ENTRY.vector,
    level,
  });
  if (level && isAccepted) setEntry(draft, pin, low | ENTRY.remoteIrr);
}

/** A level that is there and was not accepted yet is sent. */
function serveLevel(draft: MachineDraft, pin: number): void {
  const ioApic = slice.of(draft);
  const low = ioApic.low[pin] ?? ENTRY.mask;
  if (isLevel(low) && isAsserted(ioApic, pin) && (low & (ENTRY.mask | ENTRY.remoteIrr)) === 0) deliver(draft, pin);
}

function lineChanged(draft: MachineDraft, line: number, high: boolean): void {
  const pin = pinOf(line);
  if (line >= PINS) return;
  const wasAsserted = isAsserted(slice.of(draft), pin);
  if (((slice.of(draft).lines >> line) & 1) !== Number(high))
    slice.change(draft, (ioApic) => {
      ioApic.lines ^= 1 << line;
    });
  const low = slice.of(draft).low[pin] ?? ENTRY.mask;
  if (isLevel(low)) serveLevel(draft, pin);
  // An edge at a pin that is masked is lost.
  else if (!wasAsserted && isAsserted(slice.of(draft), pin) && (low & ENTRY.mask) === 0) deliver(draft, pin);
}

/** EOI for a vector: the entries with it are ready for the next level, which may be there. */
function endOfInterrupt(draft: MachineDraft, vector: number): void {
  for (let pin = 0; pin < PINS; pin++) {
    const low = slice.of(draft).low[pin] ?? 0;
    if ((low & ENTRY.vector) !== vector || (low & ENTRY.remoteIrr) === 0) continue;
    setEntry(draft, pin, low & ~ENTRY.remoteIrr);
    serveLevel(draft, pin);
  }
}

/** An entry that becomes edge-triggered loses its remote IRR, by which software ends an interrupt without a message. */
function writeLow(draft: MachineDraft, pin: number, value: number): void {
  const kept = (slice.of(draft).low[pin] ?? 0) & ENTRY.remoteIrr;
  const low = value & WRITABLE;
  setEntry(draft, pin, isLevel(low) ? low | kept : low);
  serveLevel(draft, pin);
}

function writeHigh(draft: MachineDraft, pin: number, value: number): void {
  slice.change(draft, (ioApic) => {
    ioApic.high[pin] = (value & DESTINATION) >>> 0;
  });
  serveLevel(draft, pin);
}

/** Registers behind IOWIN. The redirection table follows them from 10H on. */
const REGISTERS: readonly {
  readonly index: number;
  readonly read: (ioApic: IoApic) => number;
  readonly write?: (ioApic: IoApic, value: number) => void;
}[] = [
  {
    index: 0x00, // IOAPICID
    read: ({ id }) => id,
    write: (ioApic, value) => {
      ioApic.id = value & ID_BITS;
    },
  },
  { index: 0x01, read: () => VERSION }, // IOAPICVER
  { index: 0x02, read: ({ id }) => id }, // IOAPICARB: a write to the ID sets it
];
const TABLE = 0x10;

function readRegister(ioApic: IoApic): number {
  const { select, low, high } = ioApic;
  const half = select - TABLE;
  if (half >= 0 && half < 2 * PINS) return ((half & 1) === 0 ? low : high)[half >> 1] ?? 0;
  return REGISTERS.find(({ index }) => index === select)?.read(ioApic) ?? 0;
}

function writeRegister(draft: MachineDraft, value: number): void {
  const { select } = slice.of(draft);
  const half = select - TABLE;
  const write = REGISTERS.find(({ index }) => index === select)?.write;
  if (half >= 0 && half < 2 * PINS) ((half & 1) === 0 ? writeLow : writeHigh)(draft, half >> 1, value);
  else if (write !== undefined) slice.change(draft, (ioApic) => write(ioApic, value));
}

const [IOREGSEL, IOWIN, EOI] = [0x00, 0x10, 0x40];

function read({ draft }: Cpu, address: number, bytes: 1 | 2 | 4): number {
  const offset = address & 0xff;
  if (offset === IOREGSEL) return slice.of(draft).select;
  return offset === IOWIN && bytes === 4 ? readRegister(slice.of(draft)) : 0;
}

/** IOWIN and EOI take 32 bits only. */
function write({ draft }: Cpu, address: number, value: number, bytes: 1 | 2 | 4): void {
  const offset = address & 0xff;
  if (offset === IOREGSEL)
    slice.change(draft, (ioApic) => {
      ioApic.select = value & 0xff;
    });
  else if (bytes === 4 && offset === IOWIN) writeRegister(draft, value);
  else if (bytes === 4 && offset === EOI) endOfInterrupt(draft, value & ENTRY.vector);
}

function ioApicView({ plugins }: MachineState): readonly View[] {
  const ioApic = plugins[PLUGIN] as IoApic;
  return [
    {
      title: 'I/O APIC',
      columns: ['pin', 'asserted', 'vector', 'delivery mode', 'destination', 'trigger', 'remote IRR', 'masked'],
      rows: ioApic.low.map((low, pin) => [
        pin,
        isAsserted(ioApic, pin) ? 1 : 0,
        `${(low & ENTRY.vector).toString(16).toUpperCase()}H`,
        modeOf(low),
        `${(low & ENTRY.logical) !== 0 ? 'logical' : 'physical'} ${(ioApic.high[pin] ?? 0) >>> 24}`,
        (low & ENTRY.level) !== 0 ? 'level' : 'edge',
        (low & ENTRY.remoteIrr) !== 0 ? 1 : 0,
        (low & ENTRY.mask) !== 0 ? 1 : 0,
      ]),
    },
  ];
}

/**
 * The I/O APIC at FEC00000H with 24 pins. Lines of the ISA bus are pins of the same number, but line 0 is pin 2.
 * @example createMachine({ profile: 'intel-server', plugins: [pic, ioApic] });
 */
export const ioApic: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  deviceMemory: [{ first: BASE, last: BASE + SIZE - 1, read, write }],
  interruptController: { lineChanged, endOfInterrupt },
  views: { 'io-apic': ioApicView },
});
