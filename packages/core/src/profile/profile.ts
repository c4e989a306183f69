// A processor profile: what one real CPU model reports about itself, as data. Profiles are dumps: they hold the bits of
// features that retrovisor does not model too; masking those is the business of whoever executes CPUID and RDMSR.

/** Whose architecture the processor follows where Intel and AMD differ. */
export type Vendor = 'Intel' | 'AMD';

/**
 * What CPUID returns for one value of EAX, or of EAX and ECX. All registers are unsigned 32-bit numbers.
 *
 * A dump was taken on one logical processor under a running operating system, so some bits are not the model's and have
 * to be computed where CPUID executes:
 *
 * - 01H: EBX[31:24] initial APIC ID, EBX[23:16] logical processors of the package; ECX[27] OSXSAVE follows CR4.OSXSAVE;
 *   EDX[9] APIC follows the enable bit of IA32_APIC_BASE; ECX[3] MONITOR follows IA32_MISC_ENABLE[18] (Intel) or
 *   HWCR.MonMwaitDis (AMD).
 * - 04H (Intel) and 8000_001DH (AMD): EAX[25:14] logical processors that share the cache; 04H EAX[31:26] cores.
 * - 07H: ECX[4] OSPKE follows CR4.PKE.
 * - 0BH, 1FH, 8000_0026H: EAX[4:0] and EBX[15:0] describe the machine's topology, EDX is the x2APIC ID.
 * - 0DH: EBX of subleaf 0 is the size for the current XCR0, of subleaf 1 for the current XCR0 and IA32_XSS.
 * - 8000_0001H: EDX[11] SYSCALL reads 0 outside 64-bit mode on Intel processors (and so in the Intel dumps here); AMD's
 *   EDX[9] repeats 01H EDX[9].
 * - 8000_0008H (AMD): ECX[15:12] width of the thread number in the APIC ID, ECX[7:0] threads of the package, less one.
 * - 8000_001EH (AMD): EAX extended APIC ID (0 while the local APIC is off), EBX core, ECX node.
 */
export interface CpuidLeaf {
  readonly leaf: number;
  /** Absent: the leaf ignores ECX. */
  readonly subleaf?: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** One CPU model. */
export interface ProcessorProfile {
  /** Its own name, kebab-case: `intel-emerald-rapids`. */
  readonly name: string;
  /** Other names for it; the ones by role (`intel-server`) move to newer models as time goes by. */
  readonly aliases: readonly string[];
  /** The marketing name. */
  readonly title: string;
  readonly vendor: Vendor;
  /** MAXPHYADDR, in bits. */
  readonly physicalAddressWidth: number;
  /** 48, or 57 on a processor with 5-level paging; in bits. */
  readonly linearAddressWidth: number;
  /** In ascending order of leaf, then subleaf; an (EAX, ECX) that has no row answers as `lookUpCpuid` says. */
  readonly cpuid: readonly CpuidLeaf[];
  /** Address to 64-bit value: capability MSRs, and those whose value at reset is not the same on every processor. */
  readonly msrs: Readonly<Record<number, bigint>>;
  /** Where the figures come from, and which of them were derived instead of read from a processor. */
  readonly source: string;
}
