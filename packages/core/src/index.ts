export const name = '@retrovisor/core';
