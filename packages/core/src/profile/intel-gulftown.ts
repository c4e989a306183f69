// Intel Xeon W3670 ("Gulftown", 2010, the core of the Westmere servers): logical processor 0. The first generation with
// unrestricted guests.
import type { ProcessorProfile } from './profile.js';

export const INTEL_GULFTOWN: ProcessorProfile = {
  name: 'intel-gulftown',
  aliases: [],
  title: 'Intel Xeon W3670',
  vendor: 'Intel',
  physicalAddressWidth: 36,
  linearAddressWidth: 48,
  source:
    'InstLatx64, GenuineIntel00206C2_Gulftown_01_CPUID.txt (Xeon W3670), logical CPU 0. Not dumped and derived: MSR 0xfe. ' +
    "IA32_VMX_BASIC reports a region of 1280 bytes instead of 1024: the layout of a VMCS is the implementation's.",
  cpuid: [
    // Vendor and highest basic leaf
    { leaf: 0x00, eax: 0x0000000b, ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    // Signature, features
    { leaf: 0x01, eax: 0x000206c2, ebx: 0x00200800, ecx: 0x029ee3ff, edx: 0xbfebfbff },
    // Cache and TLB descriptors
    { leaf: 0x02, eax: 0x55035a01, ebx: 0x00f0b2ff, ecx: 0x00000000, edx: 0x00ca0000 },
    { leaf: 0x03, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Deterministic cache parameters
    { leaf: 0x04, subleaf: 0x00, eax: 0x3c004121, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x01, eax: 0x3c004122, ebx: 0x00c0003f, ecx: 0x0000007f, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x02, eax: 0x3c004143, ebx: 0x01c0003f, ecx: 0x000001ff, edx: 0x00000000 },
    { leaf: 0x04, subleaf: 0x03, eax: 0x3c07c163, ebx: 0x03c0003f, ecx: 0x00002fff, edx: 0x00000002 },
    // MONITOR/MWAIT
    { leaf: 0x05, eax: 0x00000040, ebx: 0x00000040, ecx: 0x00000003, edx: 0x00001120 },
    // Thermal and power management
    { leaf: 0x06, eax: 0x00000005, ebx: 0x00000002, ecx: 0x00000009, edx: 0x00000000 },
    // Structured extended features
    { leaf: 0x07, subleaf: 0x00, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x9c000000 },
    { leaf: 0x08, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x09, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Architectural performance monitoring
    { leaf: 0x0a, eax: 0x07300403, ebx: 0x00000004, ecx: 0x00000000, edx: 0x00000603 },
    // Extended topology: threads of a core, of a package
    { leaf: 0x0b, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000100, edx: 0x00000000 },
    { leaf: 0x0b, subleaf: 0x01, eax: 0x00000005, ebx: 0x0000000c, ecx: 0x00000201, edx: 0x00000000 },
    // Highest extended leaf
    { leaf: 0x8000_0000, eax: 0x80000008, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Extended features. EDX[11] (SYSCALL) reads 0 outside 64-bit mode
    { leaf: 0x8000_0001, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000001, edx: 0x2c100000 },
    // Brand string
    { leaf: 0x8000_0002, eax: 0x65746e49, ebx: 0x2952286c, ecx: 0x6f655820, edx: 0x2952286e },
    { leaf: 0x8000_0003, eax: 0x55504320, ebx: 0x20202020, ecx: 0x20202020, edx: 0x57202020 },
    { leaf: 0x8000_0004, eax: 0x30373633, ebx: 0x20402020, ecx: 0x30322e33, edx: 0x007a4847 },
    { leaf: 0x8000_0005, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // L2 cache
    { leaf: 0x8000_0006, eax: 0x00000000, ebx: 0x00000000, ecx: 0x01006040, edx: 0x00000000 },
    // Invariant TSC
    { leaf: 0x8000_0007, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000100 },
    // Address widths
    { leaf: 0x8000_0008, eax: 0x00003024, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
  ],
  msrs: {
    // From the dump; IA32_BIOS_SIGN_ID and IA32_MISC_ENABLE as its firmware left them
    [0x017]: 0x0000_0000_0000_0000n, // IA32_PLATFORM_ID
    [0x08b]: 0x0000_001f_0000_0000n, // IA32_BIOS_SIGN_ID: microcode revision
    [0x0ce]: 0x0000_0c00_0401_1803n, // MSR_PLATFORM_INFO
    [0x1a0]: 0x0000_0040_0085_0089n, // IA32_MISC_ENABLE
    [0x480]: 0x00da_0500_0000_000fn, // IA32_VMX_BASIC: revision FH; size 1280 instead of 1024
    [0x481]: 0x0000_007f_0000_0016n, // IA32_VMX_PINBASED_CTLS
    [0x482]: 0xfff9_fffe_0401_e172n, // IA32_VMX_PROCBASED_CTLS
    [0x483]: 0x007f_ffff_0003_6dffn, // IA32_VMX_EXIT_CTLS
    [0x484]: 0x0000_ffff_0000_11ffn, // IA32_VMX_ENTRY_CTLS
    [0x485]: 0x0000_0000_0004_01e7n, // IA32_VMX_MISC: HLT, shutdown, wait-for-SIPI; 4 CR3-target values
    [0x486]: 0x0000_0000_8000_0021n, // IA32_VMX_CR0_FIXED0: PE, NE, PG
    [0x487]: 0x0000_0000_ffff_ffffn, // IA32_VMX_CR0_FIXED1
    [0x488]: 0x0000_0000_0000_2000n, // IA32_VMX_CR4_FIXED0: VMXE
    [0x489]: 0x0000_0000_0002_67ffn, // IA32_VMX_CR4_FIXED1
    [0x48a]: 0x0000_0000_0000_002an, // IA32_VMX_VMCS_ENUM: index 15H
    [0x48b]: 0x0000_04ff_0000_0000n, // IA32_VMX_PROCBASED_CTLS2: EPT, VPID, unrestricted guest, PAUSE-loop exiting
    [0x48c]: 0x0000_0f01_0613_4141n, // IA32_VMX_EPT_VPID_CAP: 4 levels, 2-MByte pages, no A/D flags
    [0x48d]: 0x0000_007f_0000_0016n, // IA32_VMX_TRUE_PINBASED_CTLS
    [0x48e]: 0xfff9_fffe_0400_6172n, // IA32_VMX_TRUE_PROCBASED_CTLS
    [0x48f]: 0x007f_ffff_0003_6dfbn, // IA32_VMX_TRUE_EXIT_CTLS
    [0x490]: 0x0000_ffff_0000_11fbn, // IA32_VMX_TRUE_ENTRY_CTLS
    [0x0fe]: 0x0000_0000_0000_0d0an, // IA32_MTRRCAP: 10 variable ranges, fixed ranges, WC, SMRR; derived
    // Architectural values at reset. Firmware sets the lock bit of IA32_FEATURE_CONTROL before it boots a system
    [0x03a]: 0x0000_0000_0000_0000n, // IA32_FEATURE_CONTROL
    [0x277]: 0x0007_0406_0007_0406n, // IA32_PAT
    [0xc000_0080]: 0x0000_0000_0000_0000n, // IA32_EFER
  },
};
