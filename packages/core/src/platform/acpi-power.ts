// The fixed hardware of ACPI as a PC has it at ports 600H to 60BH ("ACPI Hardware Specification"): the registers PM1 for
// events and for sleeping, and the power-management timer. Left out: sleeping states but S5, which is off; general-purpose
// events; legacy mode, which nobody leaves here: SCI_EN is always 1.
import { NotModelled } from '../error.js';
import { defineEvent } from '../event/define.js';
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { bytePorts } from './byte-ports.js';
import { clockRate } from './clock-rate.js';
import { requestPowerOff } from './machine-request.js';

const PLUGIN = 'acpi-power';
/** Where the registers are; the FADT says so. */
export const ACPI_POWER_PORTS = { PM1_EVT: 0x600, PM1_CNT: 0x604, PM_TMR: 0x608 } as const;
const LAST_PORT = 0x60b;
const INTERRUPT_LINE = 9;

/** Status and enable register of PM1 have the same bits; a status is cleared by writing 1. */
const PM1 = { TMR: 0x0001, GBL: 0x0020, PWRBTN: 0x0100, SLPBTN: 0x0200, RTC: 0x0400, WAK: 0x8000 } as const;
const STATUS_BITS = PM1.TMR | PM1.GBL | PM1.PWRBTN | PM1.SLPBTN | PM1.RTC | PM1.WAK;
const ENABLE_BITS = PM1.TMR | PM1.GBL | PM1.PWRBTN | PM1.SLPBTN | PM1.RTC;
/** PM1 control. SLP_EN always reads as 0. */
const CNT = { SCI_EN: 0x0001, SLP_TYP: 0x1c00, SLP_EN: 0x2000 } as const;
/** SLP_TYP of the state S5, as QEMU has it. */
const SOFT_OFF = 0;

const TIMER = clockRate(3_579_545);
/** The timer has 24 bits; its status bit is set whenever the highest one changes. */
const TIMER_TICKS = 2 ** 24;
const HALF = TIMER_TICKS / 2;

interface PowerManagement {
  PM1_STS: number;
  PM1_EN: number;
  PM1_CNT: number;
  /** Half turns of the timer that PM1_STS knows of. */
  halves: number;
}

const slice = defineSlice<PowerManagement>(PLUGIN, {
  version: 1,
  initial: () => ({ PM1_STS: 0, PM1_EN: 0, PM1_CNT: CNT.SCI_EN, halves: 0 }),
});

const interrupts = ({ PM1_STS, PM1_EN }: PowerManagement): boolean => (PM1_STS & PM1_EN) !== 0;
const halvesAt = (now: number): number => Math.floor(TIMER.tickAt(now) / HALF);

/** Changes the registers once the status is that of now, and the interrupt line with them. */
function change(draft: MachineDraft, recipe: (power: PowerManagement) => void, now = draft.now): void {
  const before = interrupts(slice.of(draft));
  slice.change(draft, (power) => {
    if (halvesAt(now) > power.halves) power.PM1_STS |= PM1.TMR;
    power.halves = halvesAt(now);
    recipe(power);
  });
  const after = interrupts(slice.of(draft));
  if (after !== before) draft.setInterruptLine(INTERRUPT_LINE, after);
}

/** Somebody presses the power button: software that has asked for it gets an interrupt. */
export const powerButtonPressed = defineEvent('acpi/powerButtonPressed', {
  payload: {},
  apply(draft) {
    if (!draft.definition.plugins.some(({ name }) => name === PLUGIN)) return;
    change(draft, (power) => {
      power.PM1_STS |= PM1.PWRBTN;
    });
  },
});

type Register = 'PM1_STS' | 'PM1_EN' | 'PM1_CNT';

/** What a byte written to a register leaves in it; `mask` are the bits that the byte reaches. */
const WRITES: Readonly<Record<Register, (before: number, value: number, mask: number) => number>> = {
  PM1_STS: (before, value) => before & ~(value & STATUS_BITS),
  PM1_EN: (before, value, mask) => (before & ~mask) | (value & ENABLE_BITS),
  PM1_CNT: (before, value, mask) => (before & ~mask) | (value & CNT.SLP_TYP) | CNT.SCI_EN,
};

/** Registers of two bytes, by place. */
const REGISTERS: readonly (Register | undefined)[] = ['PM1_STS', 'PM1_EN', 'PM1_CNT'];

function read({ draft }: Cpu, port: number): number {
  const shift = (port & 1) * 8;
  if (port >= ACPI_POWER_PORTS.PM_TMR) {
    const ticks = TIMER.tickAt(draft.now) % TIMER_TICKS;
    return (ticks >>> ((port - ACPI_POWER_PORTS.PM_TMR) * 8)) & 0xff;
  }
  const register = REGISTERS[(port - ACPI_POWER_PORTS.PM1_EVT) >> 1];
  if (register === undefined) return 0;
  change(draft, () => undefined);
  return (slice.of(draft)[register] >> shift) & 0xff;
}

function write(cpu: Cpu, port: number, byte: number): void {
  const register = REGISTERS[(port - ACPI_POWER_PORTS.PM1_EVT) >> 1];
  if (register === undefined) return;
  const shift = (port & 1) * 8;
  change(cpu.draft, (power) => {
    power[register] = WRITES[register](power[register], byte << shift, 0xff << shift);
  });
  if (register === 'PM1_CNT' && ((byte << shift) & CNT.SLP_EN) !== 0) sleep(cpu);
}

function sleep(cpu: Cpu): void {
  const type = (slice.of(cpu.draft).PM1_CNT & CNT.SLP_TYP) >> 10;
  if (type !== SOFT_OFF) throw new NotModelled('a sleeping state of ACPI', { SLP_TYP: type });
  requestPowerOff(cpu, PLUGIN);
}

/** The next change of the timer's highest bit, if that interrupts. */
function deadline(draft: MachineDraft): number | undefined {
  const { PM1_STS, PM1_EN, halves } = slice.of(draft);
  const awaited = PM1_EN & ~PM1_STS & PM1.TMR;
  return awaited === 0 ? undefined : TIMER.timeOf((halves + 1) * HALF);
}

function powerView(state: MachineState): readonly View[] {
  const power = state.plugins[PLUGIN] as PowerManagement;
  return [
    {
      title: 'ACPI power management',
      columns: ['register', 'value'],
      rows: (['PM1_STS', 'PM1_EN', 'PM1_CNT'] as const).map((register) => [
        register,
        `0x${power[register].toString(16).padStart(4, '0')}`,
      ]),
    },
  ];
}

/**
 * ACPI's registers for power management: software switches the machine off with them. The event `acpi/powerButtonPressed`
 * asks it to.
 * @example createMachine({ profile: 'intel-server', plugins: [acpiPower] });
 */
export const acpiPower: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  ports: [bytePorts({ first: ACPI_POWER_PORTS.PM1_EVT, last: LAST_PORT, read, write })],
  timer: { deadline, expire: (draft, now) => change(draft, () => undefined, now) },
  events: [powerButtonPressed],
  views: { 'acpi-power': powerView },
});
