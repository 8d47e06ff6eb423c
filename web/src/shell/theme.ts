import {
  Alert,
  Badge,
  Button,
  Card,
  createTheme,
  Modal,
  Paper,
  Tooltip,
  type MantineColorsTuple,
} from '@mantine/core';

const ink: MantineColorsTuple = [
  '#eef3fc',
  '#dbe4f6',
  '#b4c6ec',
  '#8aa6e2',
  '#678ad9',
  '#5079d4',
  '#4470d2',
  '#2f4f9e',
  '#284489',
  '#1d3573',
];

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  colors: {
    ink,
    // Cooler than the library's own greys, and with darker page than panel.
    dark: [
      '#d3d8e2',
      '#b4bbc9',
      '#8f98a9',
      '#6b7485',
      '#3a4252',
      '#2c3342',
      '#1d2330',
      '#171c27',
      '#11151e',
      '#0b0e15',
    ],
  },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '28px' },
      h2: { fontSize: '24px' },
      h3: { fontSize: '18px' },
      h4: { fontSize: '16px' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  autoContrast: true,
  components: {
    Paper: Paper.extend({ defaultProps: { radius: 'md' } }),
    Card: Card.extend({ defaultProps: { radius: 'md', withBorder: true } }),
    Button: Button.extend({ defaultProps: { fw: 550 } }),
    Badge: Badge.extend({ defaultProps: { radius: 'sm' } }),
    Modal: Modal.extend({
      defaultProps: { centered: true, radius: 'md', overlayProps: { blur: 2 } },
    }),
    Alert: Alert.extend({ defaultProps: { radius: 'md' } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 200 } }),
  },
});
