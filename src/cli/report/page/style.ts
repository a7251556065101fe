// The style of the page: light and dark, from phone to print. Colours have names, so that a test can check their contrast.

export interface Palette {
  readonly page: string;
  readonly card: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly good: string;
  readonly warning: string;
  readonly bad: string;
}

export const LIGHT: Palette = {
  page: '#ffffff',
  card: '#f5f7f9',
  text: '#1b2026',
  muted: '#57616d',
  line: '#d5dbe1',
  accent: '#1a62b8',
  good: '#176f35',
  warning: '#855a00',
  bad: '#b4232c',
};

export const DARK: Palette = {
  page: '#12161b',
  card: '#1b2128',
  text: '#e4e9ee',
  muted: '#9da8b3',
  line: '#343d47',
  accent: '#6cb0f5',
  good: '#56c276',
  warning: '#dcab45',
  bad: '#f5827f',
};

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');
}

export const STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
@media print{:root{color-scheme:light;${variables(LIGHT)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
footer{margin-top:48px;padding-bottom:40px;color:var(--muted);font-size:14px}
.kind{margin:0;color:var(--muted);font-size:14px}
h1{margin:2px 0 20px;font-size:28px;line-height:1.25}
h2{margin:44px 0 14px;padding-bottom:6px;border-bottom:1px solid var(--line);font-size:20px;line-height:1.3}
h3{margin:28px 0 8px;font-size:16px}
p{margin:8px 0;max-width:76ch}
.muted,figcaption{color:var(--muted);font-size:14px}
code{font:0.9em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.verdict{padding:18px 22px;border:1px solid var(--line);border-left:6px solid var(--tone);border-radius:8px;background:var(--card)}
.verdict p{margin:0}
.verdict .sentence{font-size:19px;font-weight:600;line-height:1.4}
.verdict p+p{margin-top:8px}
.good{--tone:var(--good)}.warning{--tone:var(--warning)}.bad{--tone:var(--bad)}.neutral{--tone:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(215px,1fr));gap:14px;margin:16px 0 0;padding:0;list-style:none}
.tiles li{padding:14px 18px;border:1px solid var(--line);border-radius:8px}
.tiles .name{display:block;color:var(--muted);font-size:14px}
.tiles .value{display:block;color:var(--tone,var(--text));font-size:19px;font-weight:600;line-height:1.35}
.tiles .detail{display:block;color:var(--muted);font-size:14px}
dl{margin:0}
dl div{display:grid;grid-template-columns:minmax(150px,250px) 1fr;gap:4px 20px;padding:7px 0;border-bottom:1px solid var(--line)}
dl div:last-child{border-bottom:0}
dt{color:var(--muted)}
dt,dd{margin:0;min-width:0}
dd ul{margin:0;padding-left:18px}
.scroll{overflow-x:auto;margin:10px 0;border:1px solid var(--line);border-radius:8px}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
/* A cell is as wide as its longest word: the table scrolls instead of breaking words. */
table{width:100%;border-collapse:collapse;font-size:15px;overflow-wrap:normal}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:7px 14px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td code,th code{white-space:nowrap}
.wide-text code,.value-text code{overflow-wrap:anywhere;white-space:normal}
.value-text{min-width:190px;max-width:320px;overflow-wrap:anywhere}
tbody tr:last-child>*{border-bottom:0}
thead th{background:var(--card);font-weight:600;color:var(--muted);font-size:14px;vertical-align:bottom}
tbody th{font-weight:400}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}
.wide-text{min-width:240px;overflow-wrap:anywhere}
details{margin:8px 0}
summary{cursor:pointer;color:var(--accent);font-size:14px}
figure{margin:18px 0 0}
figure svg{display:block;width:100%;height:auto}
figure svg.narrow{display:none}
figcaption{margin-top:6px}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:6px 0 0;padding:0;list-style:none;font-size:14px;color:var(--muted)}
.legend i{display:inline-block;width:12px;height:12px;margin-right:7px;border-radius:2px;vertical-align:-1px;background:var(--tone)}
.swatch-data{--tone:var(--accent)}.swatch-gap,.swatch-retry{--tone:var(--bad)}.swatch-differs{--tone:var(--bad)}.swatch-extra{--tone:var(--warning)}.swatch-earlier,.swatch-left,.swatch-empty{--tone:var(--muted)}
.swatch-earlier i,.swatch-left i,.swatch-empty i{opacity:.45}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--muted)}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--muted);stroke-width:1}
svg .area{fill:var(--accent);fill-opacity:.28}
svg .stroke{fill:none;stroke:var(--accent);stroke-width:1.6;stroke-linejoin:round}
svg .gap,svg .differs{fill:var(--bad);fill-opacity:.3}
svg .extra{fill:var(--warning);fill-opacity:.3}
svg .earlier,svg .left,svg .empty{fill:var(--muted);fill-opacity:.18}
svg .note{fill:var(--text)}
svg .retry{fill:var(--bad)}
@media (max-width:640px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:23px}
.verdict{padding:14px 16px}
.verdict .sentence{font-size:17px}
dl div{grid-template-columns:1fr;gap:0}
th,td{padding:6px 10px}
figure svg.wide{display:none}
figure svg.narrow{display:block}
}
@media print{
@page{margin:14mm}
body{font-size:11pt}
main,header,footer{max-width:none;padding:0}
h2{break-after:avoid}
figure,.verdict,.tiles,tr{break-inside:avoid}
.scroll{overflow:visible}
table{font-size:8.5pt;overflow-wrap:anywhere}
th,td{padding:4px 7px}
thead th{font-size:inherit;overflow-wrap:normal}
table .muted{font-size:inherit}
td code,th code,.number,.time{white-space:normal}
.wide-text,.value-text{min-width:0}
details{display:none}
figure svg.wide{display:block}
figure svg.narrow{display:none}
.verdict,.tiles li,thead th,svg,.legend i{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;
