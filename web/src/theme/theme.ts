// Mantine in the console's colours: a cool grey, one accent, small radii and a dense scale.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#e5f5f7", "#cfe9ed", "#9fd3db", "#6bbcc9", "#41a8b8", "#239bae", "#0f8599", "#0b6e7f", "#095c6b", "#064955",
];

const slate: MantineColorsTuple = [
  "#e2e8ed", "#c3ccd4", "#9dabb7", "#8494a1", "#3a4956", "#26323d", "#1a242d", "#141c23", "#0d1318", "#090d11",
];

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 7 },
  colors: { sea, dark: slate },
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: "var(--sw-mono)",
  defaultRadius: "sm",
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "16px" },
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "22px" }, h2: { fontSize: "16px" }, h3: { fontSize: "14px" } } },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
  },
});

export const variables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--sw-surface)",
    "--mantine-color-text": "var(--sw-text)",
    "--mantine-color-dimmed": "var(--sw-muted)",
    "--mantine-color-anchor": "var(--sw-accent)",
    "--mantine-color-placeholder": "var(--sw-muted)",
    "--mantine-color-default-border": "var(--sw-line-strong)",
    "--mantine-color-error": "var(--sw-bad)",
    "--mantine-color-gray-light-color": "var(--sw-muted)",
    "--mantine-color-sea-light-color": "var(--sw-accent)",
    "--mantine-color-sea-light": "var(--sw-accent-soft)",
    "--mantine-color-sea-text": "var(--sw-accent)",
  };
  return { variables: {}, light: shared, dark: shared };
};
