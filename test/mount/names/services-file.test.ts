import t from 'tap';
import { parseServices } from '../../../mount/names/services-file.ts';

t.test('services, by name and alias; the first line that has a name', async (t) => {
  const services = parseServices(`# Network services
daytime\t13/tcp
time 37/udp timserver
http  80/tcp  www  # WorldWideWeb HTTP
domain 53/udp
domain 53/tcp
www 8080/tcp
broken 99999/tcp
broken x/tcp
alone
`);
  t.same(Object.fromEntries(services), {
    'daytime/tcp': 13,
    'time/udp': 37,
    'timserver/udp': 37,
    'http/tcp': 80,
    'www/tcp': 80,
    'domain/udp': 53,
    'domain/tcp': 53,
  });
});
