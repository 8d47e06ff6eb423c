import type { Messages } from '@/kernel/i18n';
import { accessMessages } from '@/kernel/access/messages';
import { notificationsMessages } from '@/kernel/notifications/messages';
import { factorsMessages } from '@/kernel/identity/factors/messages';
import { issuerMessages } from '@/kernel/identity/issuer/messages';
import { providersMessages } from '@/kernel/identity/providers/messages';
import { errorMessages, identityMessages } from '@/kernel/identity/messages';
import { filesErrors } from '@/kernel/storage/messages';
import { tenancyErrors } from '@/kernel/tenancy/messages';
import { webhooksErrors, webhooksMessages } from '@/kernel/webhooks/messages';
import { accountMessages } from '@/kernel/identity/pages/account/messages';
import { operatorMessages } from '@/kernel/operator/messages';
import { uiMessages } from '@/ui/messages';
import { shellMessages } from './messages';
import { modules } from './modules';

/** Every word the web app can say, by namespace. */
export const namespaces: Record<string, Messages> = {
  shell: shellMessages,
  ui: uiMessages,
  identity: identityMessages,
  factors: factorsMessages,
  issuer: issuerMessages,
  providers: providersMessages,
  account: accountMessages,
  access: accessMessages,
  webhooks: webhooksMessages,
  operator: operatorMessages,
  notifications: notificationsMessages,
  errors: {
    en: { ...errorMessages.en, ...tenancyErrors.en, ...filesErrors.en, ...webhooksErrors.en },
    de: { ...errorMessages.de, ...tenancyErrors.de, ...filesErrors.de, ...webhooksErrors.de },
  },
  ...Object.fromEntries(modules.map(({ name, messages }) => [name, messages])),
};
