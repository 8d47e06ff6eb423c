import type { Icon } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useModules } from '@/kernel/module';
import { useOrganization } from '@/kernel/tenancy/organization';

export interface NavigationGroup {
  name: string;
  title: string;
  items: { label: string; icon: Icon; to: string; exact: boolean }[];
}

/** The modules' entries that the user may open, ready to show. */
export function useNavigation(): NavigationGroup[] {
  const modules = useModules();
  const { slug, can } = useOrganization();
  const { t } = useTranslation();
  return useMemo(
    () =>
      modules
        .map(({ name, titleKey, navigation }) => ({
          name,
          title: t(`${name}:${titleKey}`),
          items: navigation
            .filter(({ permission }) => can(permission))
            .map(({ labelKey, icon, path, exact = false }) => ({
              label: t(`${name}:${labelKey}`),
              icon,
              to: `/o/${slug}${path}`,
              exact,
            })),
        }))
        .filter(({ items }) => items.length > 0),
    [modules, slug, can, t],
  );
}
