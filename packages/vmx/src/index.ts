export const name = '@retrovisor/vmx';
