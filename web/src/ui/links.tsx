/** The library's controls as links of the router: they open in a new tab, and are fetched on hover. */
import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ReactNode, Ref } from 'react';

interface AnchorElementProps extends Omit<AnchorProps, 'href'> {
  ref?: Ref<HTMLAnchorElement>;
  children?: ReactNode;
}

interface ButtonElementProps extends Omit<ButtonProps, 'href'> {
  ref?: Ref<HTMLAnchorElement>;
  children?: ReactNode;
}

export const AnchorLink = createLink((props: AnchorElementProps) => <Anchor {...props} />);

export const ButtonLink = createLink((props: ButtonElementProps) => (
  <Button component="a" {...props} />
));
