import type { ReactNode } from 'react';
import { NoPermission } from '@/ui/states/no-permission';
import { useOrganization } from './organization';

/** Shows a page to those who may see it. The server decides for itself; this only spares a refused call. */
export function RequirePermission({
  permission,
  children,
}: {
  permission: string;
  children: ReactNode;
}) {
  const { can } = useOrganization();
  return can(permission) ? children : <NoPermission permission={permission} />;
}
