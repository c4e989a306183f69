// One flat table: the VMCB (APM, "Layout of VMCB"), control area then state save area, in order of offset. A virtual
// machine's control block is 4 KBytes at a physical address that software chooses; there is no other copy of it, so that
// it is shared, corrupted and time-travelled like any other memory. Left out: the layout of the encrypted save area
// (SEV-ES), which the processor keeps elsewhere.

/** One field. */
export interface VmcbField {
  /** As the APM prints it; where it prints a sentence or several names, the shortest that says which. */
  readonly name: string;
  /** In bytes from the start of the VMCB. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  /** Named bits, with the ranges as printed. */
  readonly bits?: Readonly<Record<string, string>>;
  /** A segment register: selector, attributes, limit, base. */
  readonly segment?: true;
  /** Should be zero, or belongs to a format that is not modelled. */
  readonly reserved?: true;
  /** Where the manual is silent, or public sources disagree. */
  readonly note?: string;
}

/** Bytes of a VMCB, and its alignment. */
export const VMCB_BYTES = 4096;
/** The state save area begins here. */
export const STATE_SAVE_AREA = 0x400;

const INTERRUPT_INFORMATION = { VECTOR: '7:0', TYPE: '10:8', EV: '11', V: '31', ERRORCODE: '63:32' };

/** Every field. */
export const VMCB_FIELDS: readonly VmcbField[] = [
  // Control area
  { offset: 0x000, size: 2, name: 'Intercept reads of CR0-15' },
  { offset: 0x002, size: 2, name: 'Intercept writes of CR0-15' },
  { offset: 0x004, size: 2, name: 'Intercept reads of DR0-15' },
  { offset: 0x006, size: 2, name: 'Intercept writes of DR0-15' },
  {
    offset: 0x008,
    size: 4,
    name: 'Intercept exception vectors 0-31',
    note: 'Bit 2 is reserved: NMI has a bit of its own in vector 3.',
  },
  { offset: 0x00c, size: 4, name: 'Intercept vector 3' },
  { offset: 0x010, size: 4, name: 'Intercept vector 4' },
  { offset: 0x014, size: 4, name: 'Intercept vector 5' },
  { offset: 0x018, size: 36, name: 'Reserved 018H', reserved: true },
  { offset: 0x03c, size: 2, name: 'PAUSE Filter Threshold' },
  { offset: 0x03e, size: 2, name: 'PAUSE Filter Count' },
  { offset: 0x040, size: 8, name: 'IOPM_BASE_PA' },
  { offset: 0x048, size: 8, name: 'MSRPM_BASE_PA' },
  { offset: 0x050, size: 8, name: 'TSC_OFFSET' },
  { offset: 0x058, size: 4, name: 'Guest ASID' },
  { offset: 0x05c, size: 1, name: 'TLB_CONTROL' },
  { offset: 0x05d, size: 1, name: 'ALLOW_LARGER_RAP', note: 'The layout of its bits was not verified.' },
  { offset: 0x05e, size: 2, name: 'Reserved 05EH', reserved: true },
  {
    offset: 0x060,
    size: 8,
    name: 'Virtual interrupt control',
    bits: {
      V_TPR: '7:0',
      V_IRQ: '8',
      VGIF: '9',
      V_NMI: '11',
      V_NMI_MASK: '12',
      V_INTR_PRIO: '19:16',
      V_IGN_TPR: '20',
      V_INTR_MASKING: '24',
      'AMD Virtual GIF enabled': '25',
      V_NMI_ENABLE: '26',
      'x2AVIC Enable': '30',
      'AVIC Enable': '31',
      V_INTR_VECTOR: '39:32',
    },
  },
  { offset: 0x068, size: 8, name: 'Guest interrupt state', bits: { INTERRUPT_SHADOW: '0', GUEST_INTERRUPT_MASK: '1' } },
  { offset: 0x070, size: 8, name: 'EXITCODE' },
  { offset: 0x078, size: 8, name: 'EXITINFO1' },
  { offset: 0x080, size: 8, name: 'EXITINFO2' },
  { offset: 0x088, size: 8, name: 'EXITINTINFO', bits: INTERRUPT_INFORMATION },
  {
    offset: 0x090,
    size: 8,
    name: 'Nested paging and encryption control',
    bits: {
      NP_ENABLE: '0',
      'Enable SEV': '1',
      'Enable encrypted state for SEV-ES': '2',
      'Guest Mode Execution Trap': '3',
      SSSCheckEn: '4',
      'Virtual Transparent Encryption': '5',
      'Enable INVLPGB/TLBSYNC': '6',
      'Page table host encryption': '7',
    },
    note: 'Names of bits 7:5 are not the same in all public sources.',
  },
  { offset: 0x098, size: 8, name: 'AVIC APIC_BAR' },
  { offset: 0x0a0, size: 8, name: 'Guest physical address of GHCB' },
  { offset: 0x0a8, size: 8, name: 'EVENTINJ', bits: INTERRUPT_INFORMATION },
  { offset: 0x0b0, size: 8, name: 'N_CR3' },
  {
    offset: 0x0b8,
    size: 8,
    name: 'Virtualization extensions',
    bits: {
      LBR_VIRTUALIZATION_ENABLE: '0',
      'Virtualized VMSAVE and VMLOAD': '1',
      'IBS virtualization': '2',
      'PMC virtualization': '3',
    },
    note: 'Bits 2 and 3 were not verified.',
  },
  {
    offset: 0x0c0,
    size: 4,
    name: 'VMCB Clean Bits',
    bits: {
      I: '0',
      IOPM: '1',
      ASID: '2',
      TPR: '3',
      NP: '4',
      CRx: '5',
      DRx: '6',
      DT: '7',
      SEG: '8',
      CR2: '9',
      LBR: '10',
      AVIC: '11',
      CET: '12',
    },
  },
  { offset: 0x0c4, size: 4, name: 'Reserved 0C4H', reserved: true },
  { offset: 0x0c8, size: 8, name: 'nRIP' },
  { offset: 0x0d0, size: 1, name: 'Number of bytes fetched' },
  { offset: 0x0d1, size: 15, name: 'Guest instruction bytes' },
  { offset: 0x0e0, size: 8, name: 'AVIC APIC_BACKING_PAGE Pointer' },
  { offset: 0x0e8, size: 8, name: 'Reserved 0E8H', reserved: true },
  { offset: 0x0f0, size: 8, name: 'AVIC LOGICAL_TABLE Pointer' },
  { offset: 0x0f8, size: 8, name: 'AVIC PHYSICAL_TABLE Pointer' },
  { offset: 0x100, size: 8, name: 'Reserved 100H', reserved: true },
  { offset: 0x108, size: 8, name: 'VMSA Pointer' },
  { offset: 0x110, size: 8, name: 'VMGEXIT_RAX', note: 'Only with SEV-SNP.' },
  { offset: 0x118, size: 8, name: 'VMGEXIT_CPL', note: 'Only with SEV-SNP.' },
  { offset: 0x120, size: 2, name: 'Bus Lock Threshold Counter', note: 'Its size was not verified.' },
  { offset: 0x138, size: 8, name: 'ALLOWED_SEV_FEATURES', note: 'Newer than most public sources.' },
  { offset: 0x140, size: 8, name: 'GUEST_SEV_FEATURES', note: 'Newer than most public sources.' },
  { offset: 0x150, size: 8, name: 'REQUESTED_IRR', note: 'Only with SEV-SNP and restricted injection.' },
  { offset: 0x3e0, size: 32, name: 'Reserved for Host' },
  // State save area
  { offset: 0x400, size: 16, name: 'ES', segment: true },
  { offset: 0x410, size: 16, name: 'CS', segment: true },
  { offset: 0x420, size: 16, name: 'SS', segment: true },
  { offset: 0x430, size: 16, name: 'DS', segment: true },
  { offset: 0x440, size: 16, name: 'FS', segment: true },
  { offset: 0x450, size: 16, name: 'GS', segment: true },
  { offset: 0x460, size: 16, name: 'GDTR', segment: true },
  { offset: 0x470, size: 16, name: 'LDTR', segment: true },
  { offset: 0x480, size: 16, name: 'IDTR', segment: true },
  { offset: 0x490, size: 16, name: 'TR', segment: true },
  { offset: 0x4a0, size: 43, name: 'Reserved 4A0H', reserved: true },
  { offset: 0x4cb, size: 1, name: 'CPL' },
  { offset: 0x4cc, size: 4, name: 'Reserved 4CCH', reserved: true },
  { offset: 0x4d0, size: 8, name: 'EFER' },
  { offset: 0x4d8, size: 112, name: 'Reserved 4D8H', reserved: true },
  { offset: 0x548, size: 8, name: 'CR4' },
  { offset: 0x550, size: 8, name: 'CR3' },
  { offset: 0x558, size: 8, name: 'CR0' },
  { offset: 0x560, size: 8, name: 'DR7' },
  { offset: 0x568, size: 8, name: 'DR6' },
  { offset: 0x570, size: 8, name: 'RFLAGS' },
  { offset: 0x578, size: 8, name: 'RIP' },
  { offset: 0x580, size: 88, name: 'Reserved 580H', reserved: true },
  { offset: 0x5d8, size: 8, name: 'RSP' },
  { offset: 0x5e0, size: 8, name: 'S_CET' },
  { offset: 0x5e8, size: 8, name: 'SSP' },
  { offset: 0x5f0, size: 8, name: 'ISST_ADDR' },
  { offset: 0x5f8, size: 8, name: 'RAX' },
  { offset: 0x600, size: 8, name: 'STAR' },
  { offset: 0x608, size: 8, name: 'LSTAR' },
  { offset: 0x610, size: 8, name: 'CSTAR' },
  { offset: 0x618, size: 8, name: 'SFMASK' },
  { offset: 0x620, size: 8, name: 'KernelGsBase' },
  { offset: 0x628, size: 8, name: 'SYSENTER_CS' },
  { offset: 0x630, size: 8, name: 'SYSENTER_ESP' },
  { offset: 0x638, size: 8, name: 'SYSENTER_EIP' },
  { offset: 0x640, size: 8, name: 'CR2' },
  { offset: 0x648, size: 32, name: 'Reserved 648H', reserved: true },
  { offset: 0x668, size: 8, name: 'G_PAT' },
  { offset: 0x670, size: 8, name: 'DBGCTL' },
  { offset: 0x678, size: 8, name: 'BR_FROM' },
  { offset: 0x680, size: 8, name: 'BR_TO' },
  { offset: 0x688, size: 8, name: 'LASTEXCPFROM' },
  { offset: 0x690, size: 8, name: 'LASTEXCPTO' },
  { offset: 0x6e0, size: 8, name: 'SPEC_CTRL' },
];
