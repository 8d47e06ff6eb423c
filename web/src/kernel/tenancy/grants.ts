/** Whether permissions held cover one wanted. Wildcards: `purchasing.*` covers `purchasing.orders.read`. */
export function grants(held: readonly string[], wanted: string): boolean {
  return held.some((permission) => {
    if (permission === '*' || permission === wanted) return true;
    return permission.endsWith('.*') && wanted.startsWith(permission.slice(0, -1));
  });
}
