import { Avatar, type AvatarProps } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { logoQuery } from './queries';

/** An organisation's logo, or the initials of its name. The name stands beside it, so it says nothing to a screen reader. */
export function OrganizationAvatar({
  id,
  name,
  logo,
  ...rest
}: { id: string; name: string; logo: string | null | undefined } & Pick<
  AvatarProps,
  'size' | 'variant'
>) {
  const { data } = useQuery({ ...logoQuery(id, logo ?? ''), enabled: typeof logo === 'string' });
  return (
    <Avatar radius="sm" color="ink" name={name} src={data ?? null} alt="" aria-hidden {...rest} />
  );
}
