// What ACPI tells of this machine (ACPI Specification 6.5; IA-PC HPET Specification 1.0a): processors and interrupt
// controllers (MADT), the fixed hardware (FADT), the event timers (HPET). A device is told if somebody answers for it. Without
// the registers of power management (platform/acpi-power.ts) the FADT says HW_REDUCED_ACPI, and the DSDT is empty AML.

import { ACPI_POWER_PORTS } from '../platform/acpi-power.js';
import type { MachineDefinition } from '../plugin/host.js';
import { ACPI_HEADER_BYTES, type AcpiField, type AcpiTable, acpiFields } from './acpi-table.js';

const LOCAL_APIC = 0xfee0_0000;
const IO_APIC = 0xfec0_0000;
const HPET = 0xfed0_0000;
const KEYBOARD_CONTROLLER = 0x64;
const RESET_CONTROL = 0xcf9;
/** At port CF9H: a reset of the processors and of everything else. */
const RESET_EVERYTHING = 0x06;

/** Whether a device answers at a physical address, or at a port. */
const answers = (ranges: MachineDefinition['ports'] | MachineDefinition['deviceMemory'], at: number): boolean =>
  ranges.some(({ first, last }) => first <= at && at <= last);

/** The tables that the RSDT and the XSDT list, beside the FADT. */
export function describedTables(definition: MachineDefinition): readonly AcpiTable[] {
  return [
    multipleApicTable(definition),
    ...(answers(definition.deviceMemory, HPET) ? [EVENT_TIMER_TABLE] : []),
    ...definition.plugins.flatMap(({ acpiTables }) => acpiTables?.(definition) ?? []),
  ];
}

/** AML for Name (\_S5, Package () { 0, 0, 0, 0 }): what to write to SLP_TYP to switch the machine off. */
const SOFT_OFF = [0x08, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00] as const;

const hasPowerManagement = ({ ports }: MachineDefinition): boolean => answers(ports, ACPI_POWER_PORTS.PM1_EVT);

/** An AML program that defines how the machine is switched off, or nothing. */
export function differentiatedTable(definition: MachineDefinition): AcpiTable {
  const body = Uint8Array.from(hasPowerManagement(definition) ? SOFT_OFF : []);
  return { signature: 'DSDT', revision: 2, body };
}

const FADT_BYTES = 268;
/** IAPC_BOOT_ARCH: devices on an ISA bus; a keyboard controller. */
const BOOT_ARCHITECTURE = { legacyDevices: 1, keyboardController: 2 } as const;
/** Flags: WBINVD, C1, no sleep button and no clock of the fixed hardware; no power button, reset register, no ACPI hardware. */
const FADT_FLAGS = { always: 0x65, noPowerButton: 0x10, resetRegister: 1 << 10, hardwareReduced: 1 << 20 } as const;
const NO_LATENCY = 0xfff;
/** The registers of PM1 and the timer of power management: where they are and how long. */
const POWER_REGISTERS: readonly AcpiField[] = [
  [56, 4, ACPI_POWER_PORTS.PM1_EVT],
  [64, 4, ACPI_POWER_PORTS.PM1_CNT],
  [76, 4, ACPI_POWER_PORTS.PM_TMR],
  [88, 1, 4],
  [89, 1, 2],
  [91, 1, 4],
];

/** The Fixed ACPI Description Table, with the places of those that it alone points to. */
export function fixedTable(definition: MachineDefinition, facs: number, dsdt: number): AcpiTable {
  const hasReset = answers(definition.ports, RESET_CONTROL);
  const hasKeyboard = answers(definition.ports, KEYBOARD_CONTROLLER);
  const hasPower = hasPowerManagement(definition);
  const { legacyDevices, keyboardController } = BOOT_ARCHITECTURE;
  const { noPowerButton, resetRegister, hardwareReduced } = FADT_FLAGS;
  const flags = (hasPower ? 0 : noPowerButton + hardwareReduced) + (hasReset ? resetRegister : 0);
  const table = acpiFields(FADT_BYTES, [
    [36, 4, facs],
    [40, 4, dsdt],
    [46, 2, 9], // SCI_INT
    [96, 2, NO_LATENCY],
    [98, 2, NO_LATENCY],
    [109, 2, legacyDevices + (hasKeyboard ? keyboardController : 0)],
    [112, 4, FADT_FLAGS.always + flags],
    ...(hasPower ? POWER_REGISTERS : []),
    ...(hasReset
      ? ([
          [116, 1, 1],
          [117, 1, 8],
          [119, 1, 1],
          [120, 8, RESET_CONTROL],
          [128, 1, RESET_EVERYTHING],
        ] as const)
      : []),
    [131, 1, 1], // minor version: 5.1
    [140, 8, dsdt],
  ]);
  return { signature: 'FACP', revision: 5, body: table.subarray(ACPI_HEADER_BYTES) };
}

/** The Firmware ACPI Control Structure, which has no header and no checksum. */
export function firmwareControlStructure(): Uint8Array {
  const bytes = acpiFields(64, [
    [4, 4, 64],
    [32, 1, 2], // version
  ]);
  bytes.set(new TextEncoder().encode('FACS'));
  return bytes;
}

/** Local APIC IDs from 255 on need the structure of the x2APIC. */
const HIGHEST_XAPIC_ID = 254;
/** Trigger mode and polarity of an override: as the bus has them; active high and level. */
const POLARITY = { bus: 0, highLevel: 0x0d } as const;
const EVERY_PROCESSOR = 0xff;

function multipleApicTable(definition: MachineDefinition): AcpiTable {
  const head = acpiFields(8, [
    [0, 4, LOCAL_APIC],
    [4, 4, 1], // PCAT_COMPAT: there is an 8259 too
  ]);
  const processors = Array.from({ length: definition.processors }, (_, id) => localApic(id));
  const routing = answers(definition.deviceMemory, IO_APIC)
    ? [ioApic(), sourceOverride(0, 2, POLARITY.bus), sourceOverride(9, 9, POLARITY.highLevel)]
    : [];
  const nmi = acpiFields(6, [
    [0, 1, 4],
    [1, 1, 6],
    [2, 1, EVERY_PROCESSOR],
    [5, 1, 1], // LINT1
  ]);
  return { signature: 'APIC', revision: 3, body: joined([head, ...processors, ...routing, nmi]) };
}

function localApic(id: number): Uint8Array {
  if (id > HIGHEST_XAPIC_ID) {
    return acpiFields(16, [
      [0, 1, 9],
      [1, 1, 16],
      [4, 4, id],
      [8, 4, 1], // enabled
      [12, 4, id],
    ]);
  }
  return acpiFields(8, [
    [0, 1, 0],
    [1, 1, 8],
    [2, 1, id],
    [3, 1, id],
    [4, 4, 1],
  ]);
}

function ioApic(): Uint8Array {
  return acpiFields(12, [
    [0, 1, 1],
    [1, 1, 12],
    [4, 4, IO_APIC],
  ]);
}

/** An ISA interrupt that goes to another input of the I/O APIC, or has another polarity there. */
function sourceOverride(line: number, input: number, flags: number): Uint8Array {
  return acpiFields(10, [
    [0, 1, 2],
    [1, 1, 10],
    [3, 1, line],
    [4, 4, input],
    [8, 2, flags],
  ]);
}

/** Vendor 8086H, legacy replacement, 64-bit counter, three comparators, revision 1. */
const EVENT_TIMER_BLOCK = 0x8086_a201;
const EVENT_TIMER_TABLE: AcpiTable = {
  signature: 'HPET',
  revision: 1,
  body: acpiFields(20, [
    [0, 4, EVENT_TIMER_BLOCK],
    [8, 8, HPET],
  ]),
};

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}
