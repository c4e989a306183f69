// The 8254 programmable interval timer of a PC, and port 61H, which holds the gate of its third counter and shows that
// counter's output. The first counter drives interrupt line 0. The second one refreshed memory; what software sees of it
// is a bit of port 61H that toggles.
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { bytePorts } from './byte-ports.js';
import { clockRate } from './clock-rate.js';
import { replacesLegacyTimers } from './hpet.js';
import {
  latchCount,
  latchStatus,
  nextChange,
  outputAt,
  type PitChannel,
  readCount,
  setGate,
  unprogrammed,
  writeControl,
  writeCount,
} from './pit-channel.js';

/** A third of the 3,579,545 Hz that television has, as programs know it. */
const CLOCK = clockRate(1_193_182);
/** Ticks between two toggles of the refresh bit: what firmware gives the second counter. */
const REFRESH_TICKS = 18;

interface Pit {
  channels: [PitChannel, PitChannel, PitChannel];
  /** Bits 3:0 of port 61H. */
  port61: number;
  /** What is driven on interrupt line 0. */
  line: boolean;
  /** The tick at which that may change; absent: never. */
  due: number | null;
}

const PLUGIN = 'pit';
const LINE = 0;
const FIRST = 0x40;
const CONTROL = 0x43;
const SYSTEM_CONTROL = 0x61;
const PORT61 = { gate: 0x01, writable: 0x0f, refresh: 0x10, output: 0x20 } as const;
const READ_BACK = 3;
/** Bits of a read-back command: 0 asks for it. */
const NO_COUNT = 0x20;
const NO_STATUS = 0x10;

const slice = defineSlice<Pit>(PLUGIN, {
  version: 1,
  initial: () => ({
    channels: [unprogrammed(), unprogrammed(), { ...unprogrammed(), gate: false }],
    port61: 0,
    line: true,
    due: null,
  }),
});

/** Changes the timer, and drives what follows. */
function change(draft: MachineDraft, now: number, recipe: (pit: Pit, tick: number) => void): void {
  const tick = CLOCK.tickAt(now);
  const { line: before, due } = slice.of(draft);
  slice.change(draft, (pit) => {
    recipe(pit, tick);
    pit.line = outputAt(pit.channels[0], tick);
    pit.due = nextChange(pit.channels[0], tick);
  });
  const { line } = slice.of(draft);
  if (replacesLegacyTimers(draft)) return;
  // Two changes at once that nobody waited for: the edge happened all the same.
  if (line === before && due !== null && tick > due) draft.setInterruptLine(LINE, !line);
  if (line !== before || (due !== null && tick > due)) draft.setInterruptLine(LINE, line);
}

/** A read-back command: for each counter that bits 3:1 name, its count and its status. */
function readBack(pit: Pit, value: number, tick: number): void {
  for (const [index, channel] of pit.channels.entries()) {
    if (((value >> (index + 1)) & 1) === 0) continue;
    if ((value & NO_COUNT) === 0) latchCount(channel, tick);
    if ((value & NO_STATUS) === 0) latchStatus(channel, tick);
  }
}

function writeCommand(pit: Pit, value: number, tick: number): void {
  const number = value >> 6;
  const channel = pit.channels[number];
  if (number === READ_BACK || channel === undefined) readBack(pit, value, tick);
  else if ((value & 0x30) === 0) latchCount(channel, tick);
  else writeControl(channel, value);
}

function write({ draft }: Cpu, port: number, value: number): void {
  change(draft, draft.now, (pit, tick) => {
    const channel = pit.channels[port - FIRST];
    if (channel === undefined) writeCommand(pit, value, tick);
    else writeCount(channel, value, tick);
  });
}

function read({ draft }: Cpu, port: number): number {
  if (port === CONTROL) return 0xff; // "no-operation": the bus is not driven
  let byte = 0;
  const tick = CLOCK.tickAt(draft.now);
  slice.change(draft, ({ channels }) => {
    byte = readCount(channels[port - FIRST] as PitChannel, tick);
  });
  return byte;
}

function readSystemControl({ draft }: Cpu): number {
  const { channels, port61 } = slice.of(draft);
  const tick = CLOCK.tickAt(draft.now);
  const refresh = Math.floor(tick / REFRESH_TICKS) % 2 === 0 ? 0 : PORT61.refresh;
  return port61 | refresh | (outputAt(channels[2], tick) ? PORT61.output : 0);
}

function writeSystemControl({ draft }: Cpu, _port: number, value: number): void {
  change(draft, draft.now, (pit, tick) => {
    pit.port61 = value & PORT61.writable;
    setGate(pit.channels[2], (value & PORT61.gate) !== 0, tick);
  });
}

const ACCESS = ['latch', 'low byte', 'high byte', 'low, then high byte'] as const;

function pitView({ plugins }: MachineState): readonly View[] {
  const { channels, line } = plugins[PLUGIN] as Pit;
  return [
    {
      title: `8254, line 0 ${line ? 'high' : 'low'}`,
      columns: ['counter', 'mode', 'counts in', 'access', 'gate', 'count register', 'loaded at cycle'],
      rows: channels.map(({ control, gate, reload, loadedAt }, number) => [
        number,
        (control >> 1) & 7,
        (control & 1) !== 0 ? 'BCD' : 'binary',
        ACCESS[(control >> 4) & 3] ?? '',
        gate ? 'high' : 'low',
        reload === 0 ? 'none' : reload,
        loadedAt === null ? 'not yet' : CLOCK.timeOf(loadedAt),
      ]),
    },
  ];
}

/**
 * The 8254 at ports 40H to 43H, and port 61H. Interrupt line 0 is the output of its first counter.
 * @example createMachine({ profile: 'intel-server', plugins: [pic, pit] });
 */
export const pit: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [
    bytePorts({ first: FIRST, last: CONTROL, read, write }),
    bytePorts({ first: SYSTEM_CONTROL, last: SYSTEM_CONTROL, read: readSystemControl, write: writeSystemControl }),
  ],
  timer: {
    deadline: (draft) => {
      const { due } = slice.of(draft);
      return due === null ? undefined : CLOCK.timeOf(due);
    },
    expire: (draft, now) => change(draft, now, () => undefined),
  },
  views: { pit: pitView },
});
