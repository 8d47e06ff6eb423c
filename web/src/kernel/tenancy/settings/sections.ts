import {
  IconApps,
  IconBuilding,
  IconCreditCard,
  IconDoorExit,
  IconKey,
  IconLifebuoy,
  IconPalette,
  IconShieldLock,
  IconShieldSearch,
  IconSitemap,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
  type Icon,
} from '@tabler/icons-react';

/** A page of the settings, as the list beside it shows it. */
export interface SettingsSection {
  /** With its namespace, such as `tenancy:members.title`. */
  labelKey: string;
  icon: Icon;
  /** Path below the organisation's settings, without a slash in front. */
  path: string;
  /** Who does not have it does not see the entry. */
  permission: string;
}

/** In the order of the list. A page that is added here also needs its route, a child of `settingsRoute`. */
export const SETTINGS_SECTIONS: readonly SettingsSection[] = [
  {
    labelKey: 'tenancy:general.title',
    icon: IconBuilding,
    path: 'general',
    permission: 'tenancy.organization.read',
  },
  {
    labelKey: 'tenancy:look.title',
    icon: IconPalette,
    path: 'look',
    permission: 'tenancy.organization.update',
  },
  {
    labelKey: 'tenancy:members.title',
    icon: IconUsers,
    path: 'members',
    permission: 'tenancy.members.read',
  },
  {
    labelKey: 'tenancy:departments.title',
    icon: IconSitemap,
    path: 'departments',
    permission: 'tenancy.members.read',
  },
  {
    labelKey: 'tenancy:security.title',
    icon: IconShieldLock,
    path: 'security',
    permission: 'tenancy.security.update',
  },
  {
    labelKey: 'access:spaces.title',
    icon: IconUsersGroup,
    path: 'spaces',
    permission: 'access.spaces.read',
  },
  {
    labelKey: 'access:roles.title',
    icon: IconShieldLock,
    path: 'roles',
    permission: 'access.roles.read',
  },
  {
    labelKey: 'access:keys.title',
    icon: IconKey,
    path: 'keys',
    permission: 'access.keys.read',
  },
  {
    labelKey: 'webhooks:title',
    icon: IconWebhook,
    path: 'webhooks',
    permission: 'webhooks.endpoints.read',
  },
  {
    labelKey: 'access:review.title',
    icon: IconShieldSearch,
    path: 'access-review',
    permission: 'access.review.read',
  },
  {
    labelKey: 'tenancy:apps.title',
    icon: IconApps,
    path: 'apps',
    permission: 'tenancy.apps.update',
  },
  {
    labelKey: 'tenancy:plan.title',
    icon: IconCreditCard,
    path: 'plan',
    permission: 'tenancy.organization.read',
  },
  {
    labelKey: 'access:support.title',
    icon: IconLifebuoy,
    path: 'support',
    permission: 'access.support.read',
  },
  {
    labelKey: 'tenancy:danger.title',
    icon: IconDoorExit,
    path: 'danger',
    permission: 'tenancy.organization.read',
  },
];
