import { NavLink, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import classes from './navigation.module.css';
import { useNavigation } from './use-navigation';

export function Navigation() {
  const { t } = useTranslation('shell');
  const groups = useNavigation();
  return (
    <nav aria-label={t('navigation')} className={classes.navigation}>
      {groups.map(({ name, title, items }) => (
        <section key={name} aria-labelledby={`navigation-${name}`}>
          <Text id={`navigation-${name}`} className={classes.title} component="h2">
            {title}
          </Text>
          <ul className={classes.list}>
            {items.map(({ label, icon: Symbol, to, exact }) => (
              <li key={to}>
                <NavLink
                  component={Link}
                  to={to}
                  label={label}
                  className={classes.link}
                  activeOptions={{ exact, includeSearch: false }}
                  leftSection={<Symbol size={18} stroke={1.6} aria-hidden />}
                />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
