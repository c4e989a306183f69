// What the bits of the capability MSRs mean (SDM, "VMX Capability Reporting Facility"), as printed. The MSRs that
// report allowed settings of controls are read through controls.ts, the fixed bits of CR0 and CR4 in cr-fixed.ts.

/** Extracts fields of one MSR by the name of the field. */
export interface BitFields<Field extends string> {
  readonly fields: Readonly<Record<Field, string>>;
  /** The field as an unsigned number, bit 0 of it at bit 0. */
  read(value: bigint, field: Field): number;
}

/** Names the bits of a value: `44:32` or `55`. */
export function defineBitFields<const Fields extends Readonly<Record<string, string>>>(
  fields: Fields,
): BitFields<Extract<keyof Fields, string>> {
  const places = new Map(Object.entries(fields).map(([name, bits]) => [name, placeOf(bits)]));
  const read = (value: bigint, field: string) => {
    const { low, width } = places.get(field) ?? { low: 0n, width: 0 };
    return Number(BigInt.asUintN(width, value >> low));
  };
  return Object.freeze({ fields, read });
}

/** `44:32` or `55`. */
function placeOf(bits: string): { readonly low: bigint; readonly width: number } {
  const [high = 0, low = high] = bits.split(':').map(Number);
  return { low: BigInt(low), width: high - low + 1 };
}

export const VMX_BASIC = defineBitFields({
  'VMCS revision identifier': '30:0',
  'region size': '44:32', // bytes, 1 to 4096
  '32-bit physical addresses': '48',
  'dual-monitor treatment': '49',
  'memory type': '53:50', // 0 uncacheable, 6 write-back
  'INS/OUTS instruction information': '54',
  'TRUE capability MSRs': '55',
  'exception delivery without error-code check': '56',
  'nested exception': '58',
});

export const VMX_MISC = defineBitFields({
  'preemption-timer rate': '4:0', // the timer counts down when this bit of the TSC changes
  'stores IA32_EFER.LMA': '5',
  'activity state HLT': '6',
  'activity state shutdown': '7',
  'activity state wait-for-SIPI': '8',
  'Intel PT in VMX operation': '14',
  'RDMSR of IA32_SMBASE in SMM': '15',
  'CR3-target values': '24:16',
  'recommended MSRs in a list': '27:25', // 512 * (n + 1)
  'IA32_SMM_MONITOR_CTL bit 2': '28',
  'VMWRITE to any field': '29',
  'injection with instruction length 0': '30',
  'MSEG revision identifier': '63:32',
});

export const VMX_VMCS_ENUM = defineBitFields({ 'highest index': '9:1' });

export const VMX_EPT_VPID_CAP = defineBitFields({
  'execute-only translations': '0',
  'page-walk length 4': '6',
  'page-walk length 5': '7',
  'uncacheable paging structures': '8',
  'write-back paging structures': '14',
  '2-MByte pages': '16',
  '1-GByte pages': '17',
  INVEPT: '20',
  'accessed and dirty flags': '21',
  'advanced VM-exit information': '22',
  'supervisor shadow-stack control': '23',
  'single-context INVEPT': '25',
  'all-context INVEPT': '26',
  INVVPID: '32',
  'individual-address INVVPID': '40',
  'single-context INVVPID': '41',
  'all-context INVVPID': '42',
  'single-context-retaining-globals INVVPID': '43',
  'maximum HLAT prefix size': '53:48',
});
