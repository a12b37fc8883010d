/** A share, 0..1, as people read it: '23 %'. */
export const sayPercent = (share: number): string => `${Math.round(100 * share)} %`
