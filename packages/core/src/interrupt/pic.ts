// The pair of 8259A interrupt controllers of a PC, as Intel's data sheet "8259A Programmable Interrupt Controller" has it,
// and the edge/level control registers of the PIIX. The slave's output is line 2 of the master, whose output is INTR. Left
// out: the MCS-80 mode, in which an 8080 would be given a CALL, and buffered mode, which the program cannot see.
import { bytePorts } from '../platform/byte-ports.js';
import { definePlugin, type Plugin, type PortRange, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';

/** One 8259A. Registers of eight bits have one for each interrupt request line. */
interface Chip {
  /** Levels of the lines. */
  lines: number;
  /** Lines that rose and were neither acknowledged nor withdrawn: requests of edge-triggered lines. */
  latched: number;
  /** Lines that are level-triggered: the edge/level control register. */
  ELCR: number;
  /** ICW1.LTIM: all lines are. */
  allLevel: boolean;
  IMR: number;
  ISR: number;
  /** ICW2: bits 7:3 of the vectors. */
  vectorBase: number;
  /** The line with the lowest priority: 7 unless priorities were rotated. */
  lowest: number;
  /** Which initialization command word comes next; 0: none. */
  expected: number;
  /** ICW1.SNGL and ICW1.IC4: which words follow. */
  isSingle: boolean;
  hasWord4: boolean;
  /** Nothing is requested before the first initialization is complete. */
  initialized: boolean;
  /** ICW4.AEOI, ICW4.SFNM, OCW3.SMM. */
  automaticEnd: boolean;
  specialFullyNested: boolean;
  specialMask: boolean;
  rotatesAutomatically: boolean;
  /** OCW3: what the next read of the command port sees. */
  readsInService: boolean;
  polls: boolean;
}

interface Pair {
  master: Chip;
  slave: Chip;
  /** The level that was last driven on INTR. */
  INTR: boolean;
}

const PLUGIN = 'pic';
/** The line of the master that the slave drives. */
const CASCADE = 2;
const LINES = 8;
const NONE = -1;
const ICW1 = { IC4: 0x01, SNGL: 0x02, LTIM: 0x08, marker: 0x10 } as const;
const ICW4 = { AEOI: 0x02, SFNM: 0x10 } as const;
const OCW3 = { RIS: 0x01, RR: 0x02, P: 0x04, marker: 0x08, SMM: 0x20, ESMM: 0x40 } as const;
/** Lines that are edge-triggered for ever: system timer, keyboard, cascade, clock and coprocessor. */
const LEVEL_CAPABLE = { master: 0xf8, slave: 0xde } as const;

const chip = (): Chip => ({
  lines: 0,
  latched: 0,
  ELCR: 0,
  allLevel: false,
  IMR: 0,
  ISR: 0,
  vectorBase: 0,
  lowest: 7,
  expected: 0,
  isSingle: false,
  hasWord4: false,
  initialized: false,
  automaticEnd: false,
  specialFullyNested: false,
  specialMask: false,
  rotatesAutomatically: false,
  readsInService: false,
  polls: false,
});
const pair = defineSlice<Pair>(PLUGIN, {
  version: 1,
  initial: () => ({ master: chip(), slave: chip(), INTR: false }),
});

const levelTriggered = ({ allLevel, ELCR }: Chip): number => (allLevel ? 0xff : ELCR);

/** The interrupt request register. */
function requests(of: Chip): number {
  const level = levelTriggered(of);
  return (of.lines & level) | (of.latched & ~level);
}

/** "The IR inputs must remain high until after the falling edge of the first INTA": a line that falls takes its request back. */
function setLine(of: Chip, line: number, high: boolean): void {
  const bit = 1 << line;
  if (!high) of.latched &= ~bit;
  else if ((of.lines & bit) === 0) of.latched |= bit;
  of.lines = high ? of.lines | bit : of.lines & ~bit;
}

/** Lines in order of their priority, the highest first. */
function* byPriority({ lowest }: Chip): IterableIterator<number> {
  for (let distance = 1; distance <= LINES; distance++) yield (lowest + distance) % LINES;
}

/** The line that is requested and above all that are in service; -1: none. */
function requestedLine(of: Chip): number {
  if (!of.initialized || of.expected !== 0) return NONE;
  const requested = requests(of) & ~of.IMR;
  const inService = of.specialMask ? of.ISR & ~of.IMR : of.ISR;
  for (const line of byPriority(of)) {
    const isRequested = ((requested >> line) & 1) !== 0;
    const isInService = ((inService >> line) & 1) !== 0;
    // In special fully nested mode a slave in service may interrupt again: it has a higher line now.
    const isSlave = of.specialFullyNested && line === CASCADE;
    if (isRequested && (!isInService || isSlave)) return line;
    if (isInService) return NONE;
  }
  return NONE;
}

/** A line is acknowledged: it is in service, unless the end follows at once. */
function acknowledgeLine(of: Chip, line: number): void {
  of.latched &= ~(1 << line);
  if (!of.automaticEnd) of.ISR |= 1 << line;
  else if (of.rotatesAutomatically) of.lowest = line;
}

/** A non-specific end is for the highest line in service. One that special mask mode masks is passed over. */
function highestInService(of: Chip): number {
  const bits = of.specialMask ? of.ISR & ~of.IMR : of.ISR;
  for (const line of byPriority(of)) if (((bits >> line) & 1) !== 0) return line;
  return NONE;
}

function endOf(of: Chip, line: number, rotate: boolean): void {
  if (line === NONE) return;
  of.ISR &= ~(1 << line);
  if (rotate) of.lowest = line;
}

/** OCW2, by bits 7:5 (R, SL, EOI); `line` is bits 2:0. */
const OCW2: readonly ((of: Chip, line: number) => void)[] = [
  (of) => {
    of.rotatesAutomatically = false;
  },
  (of) => endOf(of, highestInService(of), false),
  () => undefined, // no operation
  (of, line) => endOf(of, line, false),
  (of) => {
    of.rotatesAutomatically = true;
  },
  (of) => endOf(of, highestInService(of), true),
  (of, line) => {
    of.lowest = line;
  },
  (of, line) => endOf(of, line, true),
];

function writeOcw3(of: Chip, value: number): void {
  if ((value & OCW3.ESMM) !== 0) of.specialMask = (value & OCW3.SMM) !== 0;
  if ((value & OCW3.RR) !== 0) of.readsInService = (value & OCW3.RIS) !== 0;
  of.polls = (value & OCW3.P) !== 0;
}

/** The data sheet's list of what ICW1 does by itself; without ICW4 its functions are off. */
function initialize(of: Chip, value: number): void {
  Object.assign(of, chip(), { lines: of.lines, ELCR: of.ELCR, vectorBase: of.vectorBase });
  of.allLevel = (value & ICW1.LTIM) !== 0;
  of.isSingle = (value & ICW1.SNGL) !== 0;
  of.hasWord4 = (value & ICW1.IC4) !== 0;
  of.expected = 2;
}

/** The command port. */
function writeCommand(of: Chip, value: number): void {
  if ((value & ICW1.marker) !== 0) initialize(of, value);
  else if ((value & OCW3.marker) !== 0) writeOcw3(of, value);
  else OCW2[value >> 5]?.(of, value & 7);
}

/** The data port: the initialization command word that is expected, or OCW1. */
function writeData(of: Chip, value: number): void {
  const { expected } = of;
  if (expected === 0) of.IMR = value;
  if (expected === 2) of.vectorBase = value & 0xf8;
  // ICW3 says how the chips are wired, which on a PC is known.
  if (expected === 4) {
    of.automaticEnd = (value & ICW4.AEOI) !== 0;
    of.specialFullyNested = (value & ICW4.SFNM) !== 0;
  }
  of.expected = wordAfter(of);
  of.initialized ||= of.expected === 0;
}

function wordAfter({ expected, isSingle, hasWord4 }: Chip): number {
  if (expected === 2 && !isSingle) return 3;
  return (expected === 2 || expected === 3) && hasWord4 ? 4 : 0;
}

type ChipName = 'master' | 'slave';

/** Changes the pair, and drives what follows: the slave's output, and INTR. */
function change(draft: MachineDraft, recipe: (chips: Pair) => void): void {
  const before = pair.of(draft).INTR;
  pair.change(draft, (chips) => {
    recipe(chips);
    setLine(chips.master, CASCADE, requestedLine(chips.slave) !== NONE);
    chips.INTR = requestedLine(chips.master) !== NONE;
  });
  const { INTR } = pair.of(draft);
  if (INTR !== before) draft.requestInterrupt(INTR);
}

/** One of the two INTA cycles of a chip: the line; a request that is gone reads as line 7, and puts nothing in service. */
function takeLine(of: Chip): number {
  const line = requestedLine(of);
  if (line === NONE) return LINES - 1;
  acknowledgeLine(of, line);
  return line;
}

function acknowledge(draft: MachineDraft): number {
  let vector = 0;
  change(draft, ({ master, slave }) => {
    const isCascaded = requestedLine(master) === CASCADE;
    const line = takeLine(master);
    vector = isCascaded ? slave.vectorBase | takeLine(slave) : master.vectorBase | line;
    // The slave's output falls with INTA, so that what it requests next is another edge.
    if (isCascaded) setLine(master, CASCADE, false);
  });
  return vector;
}

/** A poll is an acknowledgement by the program: bit 7 says whether there was a request. */
function poll(draft: MachineDraft, name: ChipName): number {
  let found = 0;
  change(draft, (chips) => {
    chips[name].polls = false;
    const line = requestedLine(chips[name]);
    if (line === NONE) return;
    acknowledgeLine(chips[name], line);
    if (name === 'slave') setLine(chips.master, CASCADE, false);
    found = 0x80 | line;
  });
  return found;
}

function read(draft: MachineDraft, name: ChipName, isData: boolean): number {
  const of = pair.of(draft)[name];
  if (of.polls) return poll(draft, name);
  if (isData) return of.IMR;
  return of.readsInService ? of.ISR : requests(of);
}

const portsOf = (name: ChipName, first: number): PortRange =>
  bytePorts({
    first,
    last: first + 1,
    read: ({ draft }, port) => read(draft, name, port !== first),
    write: ({ draft }, port, value) =>
      change(draft, (chips) => (port === first ? writeCommand : writeData)(chips[name], value)),
  });

const EDGE_LEVEL = 0x4d0;
const edgeLevelChip = (port: number): ChipName => (port === EDGE_LEVEL ? 'master' : 'slave');
const edgeLevelPorts = bytePorts({
  first: EDGE_LEVEL,
  last: EDGE_LEVEL + 1,
  read: ({ draft }, port) => pair.of(draft)[edgeLevelChip(port)].ELCR,
  write: ({ draft }, port, value) =>
    change(draft, (chips) => {
      chips[edgeLevelChip(port)].ELCR = value & LEVEL_CAPABLE[edgeLevelChip(port)];
    }),
});

const bits = (value: number): string => `${value.toString(2).padStart(LINES, '0')}b`;

function picView({ plugins }: MachineState): readonly View[] {
  const chips = plugins[PLUGIN] as Pair;
  const row = (name: ChipName) => {
    const of = chips[name];
    const vectors = `${of.vectorBase.toString(16).toUpperCase()}H`;
    return [name, bits(of.lines), bits(requests(of)), bits(of.IMR), bits(of.ISR), bits(levelTriggered(of)), vectors];
  };
  return [
    {
      title: `8259A, INTR ${chips.INTR ? 'asserted' : 'not asserted'}`,
      columns: ['chip', 'lines', 'IRR', 'IMR', 'ISR', 'level-triggered', 'vectors from'],
      rows: [row('master'), row('slave')],
    },
  ];
}

/**
 * The pair of 8259A at ports 20H and A0H, with the edge/level control registers at 4D0H. It drives INTR.
 * @example createMachine({ profile: 'intel-server', plugins: [pic] });
 */
export const pic: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: pair,
  ports: [portsOf('master', 0x20), portsOf('slave', 0xa0), edgeLevelPorts],
  interruptController: {
    lineChanged: (draft, line, high) => {
      if (line >= 2 * LINES || line === CASCADE) return;
      const name = line < LINES ? 'master' : 'slave';
      if ((((pair.of(draft)[name].lines >> (line % LINES)) & 1) !== 0) !== high)
        change(draft, (chips) => setLine(chips[name], line % LINES, high));
    },
    acknowledge,
  },
  views: { pic: picView },
});
