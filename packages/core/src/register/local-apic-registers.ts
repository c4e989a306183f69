// SDM, "Local APIC Register Address Map": the registers of a local APIC that hold state, with their offsets in the page. The
// x2APIC's MSR of a register is 800H + offset / 16. Version, PPR and current count follow from others and are no state.

interface LocalApicRow {
  readonly name: string;
  /** In bytes from the start of the page. */
  readonly offset: number;
  readonly reset: bigint;
}

const MASKED = 0x1_0000n;
const row = (name: string, offset: number, reset = 0n): LocalApicRow => ({ name: `APIC_${name}`, offset, reset });
const eight = (name: string, offset: number): readonly LocalApicRow[] =>
  Array.from({ length: 8 }, (_, index) => row(`${name}${index}`, offset + 0x10 * index));

/** In the manual's order. ISR, TMR and IRR have 256 bits: eight registers each, of 32 vectors. */
export const LOCAL_APIC_REGISTERS: readonly LocalApicRow[] = [
  row('ID', 0x20),
  row('TPR', 0x80),
  row('LDR', 0xd0),
  row('DFR', 0xe0, 0xffff_ffffn),
  row('SVR', 0xf0, 0xffn),
  ...eight('ISR', 0x100),
  ...eight('TMR', 0x180),
  ...eight('IRR', 0x200),
  row('ESR', 0x280),
  row('LVT_CMCI', 0x2f0, MASKED),
  row('ICR_LOW', 0x300),
  row('ICR_HIGH', 0x310),
  row('LVT_TIMER', 0x320, MASKED),
  row('LVT_THERMAL', 0x330, MASKED),
  row('LVT_PMI', 0x340, MASKED),
  row('LVT_LINT0', 0x350, MASKED),
  row('LVT_LINT1', 0x360, MASKED),
  row('LVT_ERROR', 0x370, MASKED),
  row('INIT_COUNT', 0x380),
  row('DIV_CONF', 0x3e0),
];

/** What the manual does not print: errors not moved to ESR yet, and in cycles when the timer was started or is due. */
export const LOCAL_APIC_INTERNALS = [
  { name: 'APIC_PENDING_ERRORS', width: 32 },
  { name: 'APIC_TIMER_START', width: 64 },
] as const;
