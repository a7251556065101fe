// The Grafana dashboard: its variables, and the panels laid out on its grid. It becomes the JSON file in the chart.

import type { Panel } from './chart-panel.ts';
import { ROWS } from './chart-panels.ts';

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const OPTIONS: Readonly<Record<Panel['type'], object>> = {
  timeseries: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  stat: { colorMode: 'none', textMode: 'value_and_name', reduceOptions: { calcs: ['lastNotNull'] } },
  bargauge: { orientation: 'horizontal', displayMode: 'basic', reduceOptions: { calcs: ['lastNotNull'] } },
  table: { showHeader: true },
};

function panelJson(panel: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: panel.type,
    title: panel.title,
    ...(panel.description === undefined ? {} : { description: panel.description }),
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: {
      defaults: { unit: panel.unit ?? 'none', min: 0, ...(panel.max === undefined ? {} : { max: panel.max }) },
      overrides: [],
    },
    options: OPTIONS[panel.type],
    ...(panel.type === 'table'
      ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }] }
      : {}),
    targets: panel.queries.map(({ expr, legend, instant }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
      ...(instant ? { instant: true, range: false } : {}),
      ...(panel.type === 'table' ? { format: 'table' } : {}),
    })),
  };
}

function queryVariable(name: string, label: string, query: string, multi: boolean): object {
  return {
    type: 'query',
    name,
    label,
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

/** The dashboard in Grafana's import format. */
export function dashboard(): object {
  const height = 7;
  const panels: object[] = [];
  let y = 0;
  for (const row of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    let x = 0;
    for (const panel of row.panels) {
      if (x + panel.width > 24) {
        x = 0;
        y += height;
      }
      panels.push(panelJson(panel, panels.length + 1, { h: height, w: panel.width, x, y }));
      x += panel.width;
    }
    y += height;
  }
  return {
    uid: 'prom-migrator',
    title: 'prom-migrator',
    description: 'Migrations of Prometheus data: progress, speed, problems, and which side causes them.',
    tags: ['prom-migrator'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus', refresh: 1 },
        queryVariable('namespace', 'Operator', 'label_values(prom_migrator_operator_leader, namespace)', false),
        queryVariable(
          'migration',
          'Migration',
          'label_values(prom_migrator_phase{namespace=~"$namespace"}, migration)',
          true,
        ),
      ],
    },
    panels,
  };
}
