// The tables of docs/conformance.md, made from what the packages export: a machine of each profile with the plugin of its
// vendor is built, and its definition is written down.
import {
  type CheckResult,
  createMachine,
  formatCitation,
  type InstalledMsr,
  type InstructionDefinition,
  lookUpCpuid,
  type Machine,
  type Plugin,
  PROFILES,
  type ProcessorProfile,
  type Vendor,
} from '@retrovisor/core';
import { MACHINES } from '@retrovisor/numa';
import { svm } from '@retrovisor/svm';
import { ENTRY_CHECKS, type EntryFailure, supportedFields, VMCS_FIELDS, vmx } from '@retrovisor/vmx';
import type { Parts } from './generated-documents.js';
import { bitRanges, code, hex, table, wrapped } from './markdown.js';
import { leftOutPart } from './source-parts.js';
import { vectorsPart } from './vector-parts.js';

type Row = readonly (string | number)[];
type CpuidRegisters = Readonly<Record<'eax' | 'ebx' | 'ecx' | 'edx', number>>;

const CPUID_REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const;
const EXTENSIONS: Readonly<Record<Vendor, Plugin>> = { Intel: vmx, AMD: svm };

/** The parts of the conformance page. */
export function conformanceParts(): Parts {
  const machines = PROFILES.map((profile) =>
    createMachine({ profile, processors: 2, plugins: [EXTENSIONS[profile.vendor]] }),
  );
  const base = [...createMachine({ profile: 'intel-server' }).definition.instructions.values()];
  return {
    profiles: table(['Profile', 'Also', 'Vendor', 'Physical address', 'Linear address'], PROFILES.map(profileRow)),
    cpuid: table(
      ['Profile', 'Leaf', 'Register', 'Bits of the processor that are not shown'],
      machines.flatMap(hiddenBits),
    ),
    'core-expressions': expressions(base),
    'core-functions': functions(base),
    'vmx-instructions': functions(vmx.instructions ?? []),
    'svm-instructions': functions(svm.instructions ?? []),
    'core-rules': rules(base),
    'vmx-rules': rules(vmx.instructions ?? []),
    'vmx-entry-checks': entryChecks(),
    'svm-rules': rules(svm.instructions ?? []),
    msrs: msrs(machines),
    'vmcs-fields': vmcsFields(),
    hazards: hazards([vmx, svm]),
    'numa-machines': table(
      ['Machine', 'Nodes', 'Description'],
      MACHINES.map(({ name, nodes, title = '' }) => [code(name), nodes.length, title]),
    ),
    'left-out': leftOutPart(),
    vectors: vectorsPart(),
  };
}

function profileRow({ name, aliases, vendor, physicalAddressWidth, linearAddressWidth }: ProcessorProfile): Row {
  return [
    code(name),
    aliases.map(code).join(', '),
    vendor,
    `${physicalAddressWidth} bits`,
    `${linearAddressWidth} bits`,
  ];
}

function expressions(instructions: readonly InstructionDefinition[]): string {
  const mnemonics = instructions.filter(({ form }) => form === 'expression').map(({ mnemonic }) => mnemonic);
  return wrapped(mnemonics.toSorted().map(code));
}

function functions(instructions: readonly InstructionDefinition[]): string {
  const rows = instructions.flatMap((each) => (each.form === 'function' ? [each] : []));
  return table(
    ['Instruction', 'Section', 'Intrinsics', 'Checks'],
    rows
      .toSorted((one, other) => (one.mnemonic < other.mnemonic ? -1 : 1))
      .map(({ mnemonic, manual, intrinsics, checks }) => [
        code(mnemonic),
        manual.title,
        Object.keys(intrinsics).map(code).join(' '),
        checks.length,
      ]),
  );
}

/** A row that several instructions share is there once. */
function rules(instructions: readonly InstructionDefinition[]): string {
  const checks = instructions.flatMap((each) => (each.form === 'function' ? each.checks : []));
  const rows = checks.map(({ id, result, explain, note }): [string, Row] => [
    id,
    [code(id), resultText(result), note === undefined ? explain : `${explain} *${note}*`],
  ]);
  return table(['Rule', 'Outcome', 'Requirement'], [...new Map(rows).values()]);
}

/** The checks that VM entry makes on the VMCS. */
function entryChecks(): string {
  return table(
    ['Rule', 'Section', 'Outcome', 'Requirement'],
    Object.values(ENTRY_CHECKS)
      .flat()
      .map(({ id, manual, result, explain, note }) => [
        code(id),
        manual.title,
        entryFailure(result),
        note === undefined ? explain : `${explain} *${note}*`,
      ]),
  );
}

function entryFailure(result: EntryFailure): string {
  if (result.kind === 'VMfailValid') return `VMfail(${result.number})`;
  return `exit reason ${result.reason}, qualification ${result.qualification}`;
}

function resultText(result: CheckResult): string {
  if (typeof result === 'function') return 'VMfail';
  return result.errorCode === undefined ? result.vector : `${result.vector}(${result.errorCode})`;
}

function msrs(machines: readonly Machine[]): string {
  const found = new Map<string, { readonly msr: InstalledMsr; readonly profiles: ProcessorProfile[] }>();
  for (const { definition } of machines) {
    for (const msr of definition.msrs.values()) {
      const entry = found.get(msr.name) ?? { msr, profiles: [] };
      entry.profiles.push(definition.profile);
      found.set(msr.name, entry);
    }
  }
  const rows = [...found.values()].toSorted((one, other) => one.msr.address - other.msr.address);
  return table(
    ['Address', 'MSR', 'Access', 'Where'],
    rows.map(({ msr, profiles }) => [
      hex(msr.address),
      code(msr.name),
      msr.readOnly ? 'read-only' : 'read and write',
      where(profiles),
    ]),
  );
}

function where(profiles: readonly ProcessorProfile[]): string {
  if (profiles.length === PROFILES.length) return 'everywhere';
  const vendors = (['Intel', 'AMD'] as const).filter((vendor) =>
    PROFILES.every((profile) => profile.vendor !== vendor || profiles.includes(profile)),
  );
  const rest = profiles.filter(({ vendor }) => !vendors.includes(vendor)).map(({ name }) => code(name));
  return [...vendors, ...rest].join(', ');
}

/** Registers that the machine computes from its own size, not from what it models. */
const SIZE_LEAVES = [0x4, 0xb, 0x1f, 0x8000_001d, 0x8000_001e, 0x8000_0026];
const SIZE_REGISTERS: readonly (readonly [leaf: number, register: string])[] = [
  [1, 'ebx'],
  [0x8000_0008, 'ecx'],
];

interface ComparedLeaf {
  readonly leaf: number;
  readonly subleaf: number;
  readonly real: CpuidRegisters;
  readonly shown: CpuidRegisters;
}

/** What a processor reports and the model does not. One profile a vendor: the one with an alias. */
function hiddenBits(machine: Machine): readonly Row[] {
  const { profile } = machine.definition;
  if (profile.aliases.length === 0) return [];
  const leaves = profile.cpuid.map(({ leaf, subleaf = 0 }) => compareLeaf(machine, leaf, subleaf));
  const numbers = [...new Set(leaves.map(({ leaf }) => leaf))];
  const whole = numbers.filter((number) => isHidden(leaves.filter(({ leaf }) => leaf === number)));
  const partly = leaves.filter(({ leaf }) => !whole.includes(leaf)).flatMap(partlyHidden);
  return [...partly, [whole.map((leaf) => hex(leaf, 2)).join(', '), 'all', 'all']].map((row) => [
    code(profile.name),
    ...row,
  ]);
}

function compareLeaf(machine: Machine, leaf: number, subleaf: number): ComparedLeaf {
  const outcome = machine.processor(0).cpuid(leaf, subleaf);
  const shown = ('value' in outcome ? outcome.value : undefined) as CpuidRegisters;
  return { leaf, subleaf, real: lookUpCpuid(machine.definition.profile, leaf, subleaf), shown };
}

const isZero = (registers: CpuidRegisters): boolean => CPUID_REGISTERS.every((register) => registers[register] === 0);

/** Nothing of the leaf is shown, and there was something to show. */
function isHidden(subleaves: readonly ComparedLeaf[]): boolean {
  return subleaves.every(({ shown }) => isZero(shown)) && !subleaves.every(({ real }) => isZero(real));
}

function partlyHidden({ leaf, subleaf, real, shown }: ComparedLeaf): readonly Row[] {
  return CPUID_REGISTERS.flatMap((register) => {
    const hidden = real[register] & ~shown[register];
    const isSize = SIZE_LEAVES.includes(leaf) || SIZE_REGISTERS.some(([of, name]) => of === leaf && name === register);
    if (hidden === 0 || isSize) return [];
    return [
      [subleaf === 0 ? hex(leaf, 2) : `${hex(leaf, 2)}, subleaf ${subleaf}`, register.toUpperCase(), bitRanges(hidden)],
    ];
  });
}

function vmcsFields(): string {
  const intel = PROFILES.filter(({ vendor }) => vendor === 'Intel');
  const supported = intel.map((profile) => new Set([...supportedFields(profile)].map(({ encoding }) => encoding)));
  return table(
    ['Encoding', 'Field', 'Width', 'Group', ...intel.map(({ name }) => code(name))],
    VMCS_FIELDS.map(({ encoding, name, width, group }) => [
      hex(encoding, 4),
      name,
      width,
      group,
      ...supported.map((set) => (set.has(encoding) ? 'yes' : 'no')),
    ]),
  );
}

function hazards(plugins: readonly Plugin[]): string {
  const rows = plugins.flatMap(({ hazards: declared = [] }) => declared);
  return table(
    ['Hazard', 'Meaning', 'Manual'],
    rows.map(({ id, explain, manual }) => [code(id), explain, formatCitation(manual)]),
  );
}
