export const name = '@retrovisor/numa';
