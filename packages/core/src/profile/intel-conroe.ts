// Intel Core 2 Extreme X6800 ("Conroe", 2006): logical processor 0. A part of the first generation with VMX: no secondary
// controls, so neither EPT nor VPID, and no TRUE capability MSRs.
import type { ProcessorProfile } from './profile.js';

export const INTEL_CONROE: ProcessorProfile = {
  name: 'intel-conroe',
  aliases: [],
  title: 'Intel Core2 X6800',
  vendor: 'Intel',
  physicalAddressWidth: 36,
  linearAddressWidth: 48,
  source:
    'InstLatx64, GenuineIntel00006F6_Conroe_CPUID.txt (Core 2 Extreme X6800), logical CPU 0. Not dumped and derived: MSR ' +
    "0xfe. IA32_VMX_BASIC reports a region of 1280 bytes instead of 1024: the layout of a VMCS is the implementation's.",
  cpuid: [
    // Vendor and highest basic leaf
    { leaf: 0x00, eax: 0x0000000a, ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    // Signature, features
    { leaf: 0x01, eax: 0x000006f6, ebx: 0x00020800, ecx: 0x0000e3bd, edx: 0xbfebfbff },
    // Cache and TLB descriptors
    { leaf: 0x02, eax: 0x05b0b101, ebx: 0x005657f0, ecx: 0x00000000, edx: 0x2cb43049 },
    { leaf: 0x03, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Deterministic cache parameters
    { leaf: 0x04, subleaf: 0x00, eax: 0x04000121, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000001 },
    { leaf: 0x04, subleaf: 0x01, eax: 0x04000122, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000001 },
    { leaf: 0x04, subleaf: 0x02, eax: 0x04004143, ebx: 0x03c0003f, ecx: 0x00000fff, edx: 0x00000001 },
    // MONITOR/MWAIT
    { leaf: 0x05, eax: 0x00000040, ebx: 0x00000040, ecx: 0x00000003, edx: 0x00000020 },
    // Thermal and power management
    { leaf: 0x06, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000001, edx: 0x00000000 },
    // Structured extended features
    { leaf: 0x07, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x08, eax: 0x00000400, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x09, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Architectural performance monitoring
    { leaf: 0x0a, eax: 0x07280202, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Highest extended leaf
    { leaf: 0x8000_0000, eax: 0x80000008, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Extended features. EDX[11] (SYSCALL) reads 0 outside 64-bit mode
    { leaf: 0x8000_0001, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000001, edx: 0x20100000 },
    // Brand string
    { leaf: 0x8000_0002, eax: 0x65746e49, ebx: 0x2952286c, ecx: 0x726f4320, edx: 0x4d542865 },
    { leaf: 0x8000_0003, eax: 0x43203229, ebx: 0x20205550, ecx: 0x20202020, edx: 0x58202020 },
    { leaf: 0x8000_0004, eax: 0x30303836, ebx: 0x20402020, ecx: 0x33392e32, edx: 0x007a4847 },
    { leaf: 0x8000_0005, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // L2 cache
    { leaf: 0x8000_0006, eax: 0x00000000, ebx: 0x00000000, ecx: 0x10008040, edx: 0x00000000 },
    // Invariant TSC
    { leaf: 0x8000_0007, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Address widths
    { leaf: 0x8000_0008, eax: 0x00003024, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
  ],
  msrs: {
    // From the dump; IA32_BIOS_SIGN_ID and IA32_MISC_ENABLE as its firmware left them
    [0x017]: 0x0000_0000_8804_0b28n, // IA32_PLATFORM_ID
    [0x08b]: 0x0000_0044_0000_0000n, // IA32_BIOS_SIGN_ID: microcode revision
    [0x1a0]: 0x0000_0040_6097_2489n, // IA32_MISC_ENABLE
    [0x480]: 0x001a_0500_0000_0007n, // IA32_VMX_BASIC: revision 7, no TRUE capability MSRs; size 1280 instead of 1024
    [0x481]: 0x0000_001f_0000_0016n, // IA32_VMX_PINBASED_CTLS: no virtual NMIs, no preemption timer
    [0x482]: 0x77b9_fffe_0401_e172n, // IA32_VMX_PROCBASED_CTLS: no secondary controls
    [0x483]: 0x0003_efff_0003_6dffn, // IA32_VMX_EXIT_CTLS: no MSR is loaded by a control
    [0x484]: 0x0000_1fff_0000_11ffn, // IA32_VMX_ENTRY_CTLS
    [0x485]: 0x0000_0000_0004_03c0n, // IA32_VMX_MISC: HLT, shutdown, wait-for-SIPI; 4 CR3-target values
    [0x486]: 0x0000_0000_8000_0021n, // IA32_VMX_CR0_FIXED0: PE, NE, PG
    [0x487]: 0x0000_0000_ffff_ffffn, // IA32_VMX_CR0_FIXED1
    [0x488]: 0x0000_0000_0000_2000n, // IA32_VMX_CR4_FIXED0: VMXE
    [0x489]: 0x0000_0000_0000_27ffn, // IA32_VMX_CR4_FIXED1
    [0x48a]: 0x0000_0000_0000_002cn, // IA32_VMX_VMCS_ENUM: index 16H
    [0x0fe]: 0x0000_0000_0000_0508n, // IA32_MTRRCAP: 8 variable ranges, fixed ranges, WC; derived
    // Architectural values at reset. Firmware sets the lock bit of IA32_FEATURE_CONTROL before it boots a system
    [0x03a]: 0x0000_0000_0000_0000n, // IA32_FEATURE_CONTROL
    [0x277]: 0x0007_0406_0007_0406n, // IA32_PAT
    [0xc000_0080]: 0x0000_0000_0000_0000n, // IA32_EFER
  },
};
