// Intel Xeon Gold 5520+ (5th generation Xeon Scalable, "Emerald Rapids"): logical processor 0 of a two-socket server
// with Hyper-Threading. Raw values: what is modelled of them is decided where CPUID and RDMSR execute. Physical
// addresses are 46 bits wide because firmware limits them; the same core reports 52 without that limit.
import type { ProcessorProfile } from './profile.js';

export const INTEL_EMERALD_RAPIDS: ProcessorProfile = {
  name: 'intel-emerald-rapids',
  aliases: ['intel-server'],
  title: 'Intel Xeon Gold 5520+',
  vendor: 'Intel',
  physicalAddressWidth: 46,
  linearAddressWidth: 57,
  source:
    'InstLatx64, GenuineIntel00C06F2_EmeraldRapids_01_CPUID.txt (2x Xeon Gold 5520+, 2024-04-03), logical CPU 0. ' +
    'Not dumped and derived: MSRs 0xfe, 0x491, 0x492, 0x493. ' +
    'IA32_VMX_VMCS_ENUM is as dumped although too low: every core of this line reports it so.',
  cpuid: [
    // Vendor and highest basic leaf
    { leaf: 0x00, eax: 0x00000020, ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    // Signature, features
    { leaf: 0x01, eax: 0x000c06f2, ebx: 0x00800800, ecx: 0x7ffefbff, edx: 0xbfebfbff },
    // Cache and TLB descriptors; FEH and FFH refer to leaves 18H and 04H
    { leaf: 0x02, eax: 0x00feff01, ebx: 0x000000f0, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x03, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Deterministic cache parameters: L1D, L1I, L2, L3
    { leaf: 0x04, subleaf: 0x00, eax: 0xfc004121, ebx: 0x02c0003f, ecx: 0x0000003f, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x01, eax: 0xfc004122, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x02, eax: 0xfc004143, ebx: 0x03c0003f, ecx: 0x000007ff, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x03, eax: 0xfc1fc163, ebx: 0x0380003f, ecx: 0x0000dfff, edx: 0x00000004 },
    // MONITOR/MWAIT
    { leaf: 0x05, eax: 0x00000040, ebx: 0x00000040, ecx: 0x00000003, edx: 0x00001020 },
    // Thermal and power management
    { leaf: 0x06, eax: 0x00000077, ebx: 0x00000002, ecx: 0x00000009, edx: 0x00000000 },
    // Structured extended features
    { leaf: 0x07, subleaf: 0x00, eax: 0x00000002, ebx: 0xf3bfbfff, ecx: 0xfb417fee, edx: 0xffdd4432 },
    { leaf: 0x07, subleaf: 0x01, eax: 0x00001c30, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00040000 },
    { leaf: 0x07, subleaf: 0x02, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x0000001f },
    { leaf: 0x08, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x09, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Architectural performance monitoring
    { leaf: 0x0a, eax: 0x08300805, ebx: 0x00000000, ecx: 0x0000000f, edx: 0x00008604 },
    // Extended topology: threads of a core, of a package
    { leaf: 0x0b, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000100, edx: 0x00000000 },
    { leaf: 0x0b, subleaf: 0x01, eax: 0x00000007, ebx: 0x00000038, ecx: 0x00000201, edx: 0x00000000 },
    { leaf: 0x0c, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // XSAVE state components
    { leaf: 0x0d, subleaf: 0x00, eax: 0x000602e7, ebx: 0x00002b00, ecx: 0x00002b00, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x01, eax: 0x0000001f, ebx: 0x00002a80, ecx: 0x0000dd00, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x02, eax: 0x00000100, ebx: 0x00000240, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x05, eax: 0x00000040, ebx: 0x00000440, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x06, eax: 0x00000200, ebx: 0x00000480, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x07, eax: 0x00000400, ebx: 0x00000680, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x08, eax: 0x00000080, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x09, eax: 0x00000008, ebx: 0x00000a80, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0a, eax: 0x00000008, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0b, eax: 0x00000010, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0c, eax: 0x00000018, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0e, eax: 0x00000030, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0f, eax: 0x00000328, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x11, eax: 0x00000040, ebx: 0x00000ac0, ecx: 0x00000002, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x12, eax: 0x00002000, ebx: 0x00000b00, ecx: 0x00000006, edx: 0x00000000 },
    { leaf: 0x0e, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Resource monitoring
    { leaf: 0x0f, subleaf: 0x00, eax: 0x00000000, ebx: 0x000000df, ecx: 0x00000000, edx: 0x00000002 },
    { leaf: 0x0f, subleaf: 0x01, eax: 0x00000008, ebx: 0x0000e000, ecx: 0x000000df, edx: 0x00000007 },
    // Resource allocation. EBX announces subleaves 2 and 3, which the dump does not list
    { leaf: 0x10, subleaf: 0x00, eax: 0x00000000, ebx: 0x0000000e, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x10, subleaf: 0x01, eax: 0x0000000e, ebx: 0x00006000, ecx: 0x00000004, edx: 0x0000000e },
    { leaf: 0x11, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // SGX: zeros, switched off or fused off in the dumped machine
    { leaf: 0x12, subleaf: 0x00, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x12, subleaf: 0x01, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x13, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Processor Trace
    { leaf: 0x14, subleaf: 0x00, eax: 0x00000001, ebx: 0x0000005f, ecx: 0x00000007, edx: 0x00000000 },
    { leaf: 0x14, subleaf: 0x01, eax: 0x02490002, ebx: 0x003f003f, ecx: 0x00000000, edx: 0x00000000 },
    // Time-stamp counter: EBX/EAX times the crystal clock in ECX (Hz)
    { leaf: 0x15, eax: 0x00000002, ebx: 0x000000b0, ecx: 0x017d7840, edx: 0x00000000 },
    // Base, maximum and bus frequency (MHz)
    { leaf: 0x16, eax: 0x00000898, ebx: 0x00000fa0, ecx: 0x00000064, edx: 0x00000000 },
    // System-on-chip vendor attributes
    { leaf: 0x17, subleaf: 0x00, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Address translation parameters, one TLB a subleaf
    { leaf: 0x18, subleaf: 0x00, eax: 0x00000008, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x18, subleaf: 0x01, eax: 0x00000000, ebx: 0x00080001, ecx: 0x00000020, edx: 0x00004022 },
    { leaf: 0x18, subleaf: 0x02, eax: 0x00000000, ebx: 0x00080006, ecx: 0x00000004, edx: 0x00004022 },
    { leaf: 0x18, subleaf: 0x03, eax: 0x00000000, ebx: 0x0010000f, ecx: 0x00000001, edx: 0x00004125 },
    { leaf: 0x18, subleaf: 0x04, eax: 0x00000000, ebx: 0x00040001, ecx: 0x00000010, edx: 0x00004024 },
    { leaf: 0x18, subleaf: 0x05, eax: 0x00000000, ebx: 0x00040006, ecx: 0x00000008, edx: 0x00004024 },
    { leaf: 0x18, subleaf: 0x06, eax: 0x00000000, ebx: 0x00080008, ecx: 0x00000001, edx: 0x00004124 },
    { leaf: 0x18, subleaf: 0x07, eax: 0x00000000, ebx: 0x00080007, ecx: 0x00000080, edx: 0x00004043 },
    { leaf: 0x18, subleaf: 0x08, eax: 0x00000000, ebx: 0x00080009, ecx: 0x00000080, edx: 0x00004043 },
    { leaf: 0x19, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x1a, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // PCONFIG
    { leaf: 0x1b, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000001, ecx: 0x00000000, edx: 0x00000000 },
    // Last branch records
    { leaf: 0x1c, eax: 0x4000000b, ebx: 0x00000007, ecx: 0x00000007, edx: 0x00000000 },
    // Tile information
    { leaf: 0x1d, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x1d, subleaf: 0x01, eax: 0x04002000, ebx: 0x00080040, ecx: 0x00000010, edx: 0x00000000 },
    // TMUL information
    { leaf: 0x1e, subleaf: 0x00, eax: 0x00000000, ebx: 0x00004010, ecx: 0x00000000, edx: 0x00000000 },
    // V2 extended topology
    { leaf: 0x1f, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000100, edx: 0x00000000 },
    { leaf: 0x1f, subleaf: 0x01, eax: 0x00000007, ebx: 0x00000038, ecx: 0x00000201, edx: 0x00000000 },
    // History reset
    { leaf: 0x20, subleaf: 0x00, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Highest extended leaf
    { leaf: 0x8000_0000, eax: 0x80000008, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Extended features. EDX[11] (SYSCALL) reads 0 because a 32-bit program took the dump
    { leaf: 0x8000_0001, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000121, edx: 0x2c100000 },
    // Brand string
    { leaf: 0x8000_0002, eax: 0x45544e49, ebx: 0x2952284c, ecx: 0x4f455820, edx: 0x2952284e },
    { leaf: 0x8000_0003, eax: 0x4c4f4720, ebx: 0x35352044, ecx: 0x002b3032, edx: 0x00000000 },
    { leaf: 0x8000_0004, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0005, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // L2 cache
    { leaf: 0x8000_0006, eax: 0x00000000, ebx: 0x00000000, ecx: 0x08007040, edx: 0x00000000 },
    // Invariant TSC
    { leaf: 0x8000_0007, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000100 },
    // Address widths
    { leaf: 0x8000_0008, eax: 0x0000392e, ebx: 0x00000200, ecx: 0x00000000, edx: 0x00000000 },
  ],
  msrs: {
    // From the dump; IA32_BIOS_SIGN_ID, IA32_ARCH_CAPABILITIES and IA32_MISC_ENABLE as its firmware left them
    [0x017]: 0x0000_0000_0000_0000n, // IA32_PLATFORM_ID
    [0x08b]: 0x2100_0200_0000_0000n, // IA32_BIOS_SIGN_ID: microcode revision
    [0x0ce]: 0x0005_082c_f481_1600n, // MSR_PLATFORM_INFO
    [0x10a]: 0x0000_0000_0c28_fdebn, // IA32_ARCH_CAPABILITIES
    [0x1a0]: 0x0000_0000_0085_0089n, // IA32_MISC_ENABLE
    [0x480]: 0x03da_0500_0000_0013n, // IA32_VMX_BASIC: revision 13H, 1280 bytes; bit 57: reserved in the SDM
    [0x481]: 0x0000_00ff_0000_0016n, // IA32_VMX_PINBASED_CTLS
    [0x482]: 0xfffb_fffe_0401_e172n, // IA32_VMX_PROCBASED_CTLS: allows the tertiary controls (bit 17)
    [0x483]: 0xff7f_ffff_0003_6dffn, // IA32_VMX_EXIT_CTLS: allows the secondary VM-exit controls (bit 31)
    [0x484]: 0x007e_ffff_0000_11ffn, // IA32_VMX_ENTRY_CTLS: no MPX, so no "load IA32_BNDCFGS"
    [0x485]: 0x0000_0000_7004_c1e7n, // IA32_VMX_MISC: HLT, shutdown, wait-for-SIPI; 4 CR3-target values
    [0x486]: 0x0000_0000_8000_0021n, // IA32_VMX_CR0_FIXED0: PE, NE, PG
    [0x487]: 0x0000_0000_ffff_ffffn, // IA32_VMX_CR0_FIXED1
    [0x488]: 0x0000_0000_0000_2000n, // IA32_VMX_CR4_FIXED0: VMXE
    [0x489]: 0x0000_0000_03f7_7fffn, // IA32_VMX_CR4_FIXED1: no KL, no LAM_SUP
    [0x48a]: 0x0000_0000_0000_002en, // IA32_VMX_VMCS_ENUM: index 17H: see the source
    [0x48b]: 0xcfff_ffff_0000_0000n, // IA32_VMX_PROCBASED_CTLS2: all but ENCLV exiting (28) and bit 29
    [0x48c]: 0x0001_0f01_06f3_41c1n, // IA32_VMX_EPT_VPID_CAP: 5-level EPT, 1-GByte pages, A/D flags
    [0x48d]: 0x0000_00ff_0000_0016n, // IA32_VMX_TRUE_PINBASED_CTLS
    [0x48e]: 0xfffb_fffe_0400_6172n, // IA32_VMX_TRUE_PROCBASED_CTLS
    [0x48f]: 0xff7f_ffff_0003_6dfbn, // IA32_VMX_TRUE_EXIT_CTLS
    [0x490]: 0x007e_ffff_0000_11fbn, // IA32_VMX_TRUE_ENTRY_CTLS
    // Derived: the dump stops at 490H. Each value says what it follows from
    [0x491]: 0x0000_0000_0000_0001n, // IA32_VMX_VMFUNC: EPTP switching, the only VM function
    // Enable HLAT (bit 1) as EPT_VPID_CAP[53:48] is 1; EPT paging-write control (2) and guest-paging verification (3)
    // came with it; IPI virtualization (4) was announced for this core; virtualize IA32_SPEC_CTRL (7) is least certain
    [0x492]: 0x0000_0000_0000_009en, // IA32_VMX_PROCBASED_CTLS3
    [0x493]: 0x0000_0000_0000_0008n, // IA32_VMX_EXIT_CTLS2: prematurely busy shadow stack, as the core has CET
    [0x0fe]: 0x0000_0000_0000_0d0an, // IA32_MTRRCAP: 10 variable ranges, fixed ranges, WC, SMRR
    // Architectural values at reset. Firmware sets the lock bit of IA32_FEATURE_CONTROL before it boots a system
    [0x03a]: 0x0000_0000_0000_0000n, // IA32_FEATURE_CONTROL
    [0x277]: 0x0007_0406_0007_0406n, // IA32_PAT
    [0xc000_0080]: 0x0000_0000_0000_0000n, // IA32_EFER
  },
};
