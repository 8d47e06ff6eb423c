import {
  IconBrandApple,
  IconBrandDiscord,
  IconBrandFacebook,
  IconBrandGithub,
  IconBrandGitlab,
  IconBrandGoogle,
  IconBrandLinkedin,
  IconBrandSlack,
  IconBrandTwitch,
  IconBrandWindows,
  IconBrandX,
  IconLogin2,
  IconMail,
  type Icon,
} from '@tabler/icons-react';

const ICONS: Record<string, Icon | undefined> = {
  apple: IconBrandApple,
  azure: IconBrandWindows,
  discord: IconBrandDiscord,
  email: IconMail,
  facebook: IconBrandFacebook,
  github: IconBrandGithub,
  gitlab: IconBrandGitlab,
  google: IconBrandGoogle,
  linkedin_oidc: IconBrandLinkedin,
  slack_oidc: IconBrandSlack,
  twitch: IconBrandTwitch,
  twitter: IconBrandX,
  x: IconBrandX,
};

/** The sign of a provider, or of any. */
export function ProviderIcon({ name }: { name: string }) {
  const Sign = ICONS[name] ?? IconLogin2;
  return <Sign size={18} stroke={1.6} aria-hidden style={{ flexShrink: 0 }} />;
}
