import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Role } from './queries';

interface Roles {
  role: Role;
  custom_role?: string | null;
  custom_only?: boolean;
}

/** What a member is called: their built-in role and the organisation's own beside it, or that one alone. */
export function useRoleName(): (member: Roles) => string {
  const { t } = useTranslation('tenancy');
  return useCallback(
    ({ role, custom_role, custom_only = false }) => {
      const builtIn = t(`roles.${role}`);
      if (custom_role == null) return builtIn;
      return custom_only ? custom_role : t('roleBesides', { role: builtIn, custom: custom_role });
    },
    [t],
  );
}
