// AMD EPYC 9654 (4th generation EPYC, "Genoa", Zen 4): logical processor 0 of a two-socket server with SMT. Beside
// Turin because it lacks what Zen 5 added to SVM (leaf 8000_000AH, EDX bits 8 and 31:29): PMC virtualization, bus-lock
// threshold, idle HLT intercept, enhanced shutdown intercept. Raw values: what is modelled of them is decided where
// CPUID and RDMSR execute.
import type { ProcessorProfile } from './profile.js';

export const AMD_GENOA: ProcessorProfile = {
  name: 'amd-genoa',
  aliases: [],
  title: 'AMD EPYC 9654 96-Core Processor',
  vendor: 'AMD',
  physicalAddressWidth: 52,
  linearAddressWidth: 57,
  source:
    'InstLatx64, AuthenticAMD0A10F11_K19_Genoa_01_CPUID.txt (2x EPYC 9654, 2023-05-10), logical CPU 0. ' +
    'Reset values of MTRRcap, SYSCFG, HWCR and VM_CR from the processor programming references of Zen parts, ' +
    'of PAT and EFER from the APM.',
  cpuid: [
    // Vendor and highest basic leaf
    { leaf: 0x00, eax: 0x00000010, ebx: 0x68747541, ecx: 0x444d4163, edx: 0x69746e65 },
    // Signature, features
    { leaf: 0x01, eax: 0x00a10f11, ebx: 0x00c00800, ecx: 0x7efa320b, edx: 0x178bfbff },
    { leaf: 0x02, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x03, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // MONITOR/MWAIT
    { leaf: 0x05, eax: 0x00000040, ebx: 0x00000040, ecx: 0x00000003, edx: 0x00000011 },
    // Thermal and power management
    { leaf: 0x06, eax: 0x00000004, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    // Structured extended features
    { leaf: 0x07, subleaf: 0x00, eax: 0x00000001, ebx: 0xf1bf97a9, ecx: 0x00415fce, edx: 0x10000010 },
    { leaf: 0x07, subleaf: 0x01, eax: 0x00000020, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x08, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x09, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0a, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Extended topology: threads of a core, of a package
    { leaf: 0x0b, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000100, edx: 0x00000000 },
    { leaf: 0x0b, subleaf: 0x01, eax: 0x00000008, ebx: 0x000000c0, ecx: 0x00000201, edx: 0x00000000 },
    { leaf: 0x0c, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // XSAVE state components
    { leaf: 0x0d, subleaf: 0x00, eax: 0x000002e7, ebx: 0x00000980, ecx: 0x00000988, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x01, eax: 0x0000000f, ebx: 0x00000990, ecx: 0x00001800, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x02, eax: 0x00000100, ebx: 0x00000240, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x05, eax: 0x00000040, ebx: 0x00000340, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x06, eax: 0x00000200, ebx: 0x00000380, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x07, eax: 0x00000400, ebx: 0x00000580, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x09, eax: 0x00000008, ebx: 0x00000980, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0b, eax: 0x00000010, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0d, subleaf: 0x0c, eax: 0x00000018, ebx: 0x00000000, ecx: 0x00000001, edx: 0x00000000 },
    { leaf: 0x0e, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Resource monitoring
    { leaf: 0x0f, subleaf: 0x00, eax: 0x00000000, ebx: 0x000000ff, ecx: 0x00000000, edx: 0x00000002 },
    { leaf: 0x0f, subleaf: 0x01, eax: 0x00000014, ebx: 0x00000040, ecx: 0x000000ff, edx: 0x00000007 },
    // Resource allocation
    { leaf: 0x10, subleaf: 0x00, eax: 0x00000000, ebx: 0x00000002, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x10, subleaf: 0x01, eax: 0x0000000f, ebx: 0x00000000, ecx: 0x00000004, edx: 0x0000000f },
    // Highest extended leaf
    { leaf: 0x8000_0000, eax: 0x80000028, ebx: 0x68747541, ecx: 0x444d4163, edx: 0x69746e65 },
    // Extended features; ECX[2] is SVM
    { leaf: 0x8000_0001, eax: 0x00a10f11, ebx: 0x40000000, ecx: 0x75c237ff, edx: 0x2fd3fbff },
    // Brand string
    { leaf: 0x8000_0002, eax: 0x20444d41, ebx: 0x43595045, ecx: 0x35363920, edx: 0x36392034 },
    { leaf: 0x8000_0003, eax: 0x726f432d, ebx: 0x72502065, ecx: 0x7365636f, edx: 0x20726f73 },
    { leaf: 0x8000_0004, eax: 0x20202020, ebx: 0x20202020, ecx: 0x20202020, edx: 0x00202020 },
    // L1 caches and TLBs
    { leaf: 0x8000_0005, eax: 0xff48ff40, ebx: 0xff48ff40, ecx: 0x20080140, edx: 0x20080140 },
    // L2 and L3 caches and TLBs
    { leaf: 0x8000_0006, eax: 0x5c002200, ebx: 0x6c004200, ecx: 0x04006140, edx: 0x0c009140 },
    // Power management and RAS
    { leaf: 0x8000_0007, eax: 0x00000000, ebx: 0x0000003b, ecx: 0x00000000, edx: 0x00006799 },
    // Address widths, extended features
    { leaf: 0x8000_0008, eax: 0x00003934, ebx: 0x79bef25f, ecx: 0x000080bf, edx: 0x00010007 },
    // Reserved
    { leaf: 0x8000_0009, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // SVM revision, number of ASIDs (EBX), features (EDX)
    { leaf: 0x8000_000a, eax: 0x00000001, ebx: 0x00008000, ecx: 0x00000000, edx: 0x1fbfbcff },
    // Reserved
    { leaf: 0x8000_000b, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_000c, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_000d, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_000e, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_000f, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0010, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0011, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0012, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0013, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0014, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0015, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0016, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0017, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0018, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // TLBs of 1-GB pages
    { leaf: 0x8000_0019, eax: 0xf048f040, ebx: 0xf0400000, ecx: 0x00000000, edx: 0x00000000 },
    // Performance optimization
    { leaf: 0x8000_001a, eax: 0x00000006, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Instruction-based sampling
    { leaf: 0x8000_001b, eax: 0x00000bff, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Lightweight profiling
    { leaf: 0x8000_001c, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Cache topology: L1D, L1I, L2, L3
    { leaf: 0x8000_001d, subleaf: 0x00, eax: 0x00004121, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000000 },
    { leaf: 0x8000_001d, subleaf: 0x01, eax: 0x00004122, ebx: 0x01c0003f, ecx: 0x0000003f, edx: 0x00000000 },
    { leaf: 0x8000_001d, subleaf: 0x02, eax: 0x00004143, ebx: 0x01c0003f, ecx: 0x000007ff, edx: 0x00000002 },
    { leaf: 0x8000_001d, subleaf: 0x03, eax: 0x0003c163, ebx: 0x03c0003f, ecx: 0x00007fff, edx: 0x00000001 },
    // Processor topology
    { leaf: 0x8000_001e, eax: 0x00000000, ebx: 0x00000100, ecx: 0x00000000, edx: 0x00000000 },
    // Encrypted memory: SME, SEV, SEV-ES, SEV-SNP
    { leaf: 0x8000_001f, eax: 0x030fffeb, ebx: 0x000041b3, ecx: 0x000003ee, edx: 0x00000001 },
    // Platform quality of service
    { leaf: 0x8000_0020, subleaf: 0x00, eax: 0x00000000, ebx: 0x0000001e, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0020, subleaf: 0x01, eax: 0x0000000b, ebx: 0x00000000, ecx: 0x00000000, edx: 0x0000000f },
    { leaf: 0x8000_0020, subleaf: 0x02, eax: 0x0000000b, ebx: 0x00000000, ecx: 0x00000000, edx: 0x0000000f },
    { leaf: 0x8000_0020, subleaf: 0x03, eax: 0x00000000, ebx: 0x00000002, ecx: 0x0000007f, edx: 0x00000000 },
    // Extended features 2
    { leaf: 0x8000_0021, eax: 0x00062fcf, ebx: 0x0000015c, ecx: 0x00000000, edx: 0x00000000 },
    // Extended performance monitoring
    { leaf: 0x8000_0022, eax: 0x00000007, ebx: 0x00304106, ecx: 0x00000fff, edx: 0x00000000 },
    // Multi-key encrypted memory
    { leaf: 0x8000_0023, eax: 0x00000001, ebx: 0x0000003f, ecx: 0x00000000, edx: 0x00000000 },
    // Reserved
    { leaf: 0x8000_0024, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Encrypted memory, continued; not in the APM
    { leaf: 0x8000_0025, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    // Extended CPU topology: threads, complexes, dies, sockets
    { leaf: 0x8000_0026, subleaf: 0x00, eax: 0x00000001, ebx: 0x00000002, ecx: 0x00000100, edx: 0x00000000 },
    { leaf: 0x8000_0026, subleaf: 0x01, eax: 0x00000004, ebx: 0x00000010, ecx: 0x00000201, edx: 0x00000000 },
    { leaf: 0x8000_0026, subleaf: 0x02, eax: 0x00000004, ebx: 0x00000010, ecx: 0x00000302, edx: 0x00000000 },
    { leaf: 0x8000_0026, subleaf: 0x03, eax: 0x00000008, ebx: 0x000000c0, ecx: 0x00000403, edx: 0x00000000 },
    // Not in the APM
    { leaf: 0x8000_0027, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
    { leaf: 0x8000_0028, eax: 0x00000000, ebx: 0x00000000, ecx: 0x00000000, edx: 0x00000000 },
  ],
  msrs: {
    // From the dump
    [0x08b]: 0x0000_0000_0a10_1121n, // PATCH_LEVEL: microcode revision
    [0xc001_0140]: 0x0000_0000_0000_0005n, // OSVW_ID_LENGTH
    [0xc001_0141]: 0x0000_0000_0000_0000n, // OSVW_STATUS
    // Values at reset. The dump has HWCR as a running system left it (8900_6011) and none of the others
    [0x0fe]: 0x0000_0000_0000_0508n, // MTRRcap: 8 variable ranges, fixed ranges, WC
    [0x277]: 0x0007_0406_0007_0406n, // PAT
    [0xc000_0080]: 0x0000_0000_0000_0000n, // EFER: SVME clear
    [0xc001_0010]: 0x0000_0000_0000_0000n, // SYSCFG: memory encryption and SNP off
    [0xc001_0015]: 0x0000_0000_0100_6010n, // HWCR: SmmLock clear: firmware sets it
    [0xc001_0114]: 0x0000_0000_0000_0000n, // VM_CR: neither LOCK nor SVMDIS
  },
};
