// The review desk without a mouse, and local times. Everything works without this file.
'use strict';
{
    const OFF = 'sentinel-keys-off';
    const dialog = document.getElementById('keys');

    // Browsers may refuse to keep anything.
    function kept() {
        try { return localStorage.getItem(OFF) !== null; } catch { return false; }
    }
    function keep(off) {
        try { off ? localStorage.setItem(OFF, '1') : localStorage.removeItem(OFF); } catch { /* for this page only */ }
    }

    let off = kept();

    function rows() {
        return Array.from(document.querySelectorAll('#result_list tbody tr'));
    }

    function current() {
        return document.querySelector('#result_list tr.current');
    }

    function enter(row) {
        if (current()) {
            current().classList.remove('current');
        }
        row.classList.add('current');
    }

    function move(step) {
        const all = rows();
        const row = all[current() ? all.indexOf(current()) + step : 0];
        if (row) {
            row.querySelector('.case-link').focus();
        }
    }

    function select() {
        const box = current() && current().querySelector('.action-select');
        if (box) {
            box.click();
        }
    }

    function chosen() {
        const boxes = Array.from(document.querySelectorAll('#result_list .action-select:checked'));
        return boxes.length ? boxes.map(box => box.value) : current() ? [current().dataset.case] : [];
    }

    // Opens the page that asks why, and leads back here; nothing is done yet.
    function ask(key) {
        const ids = chosen();
        if (ids.length) {
            const query = new URLSearchParams(key.dataset.given);
            query.set('ids', ids.join(','));
            if (location.search) {
                query.set('_changelist_filters', location.search.slice(1));
            }
            location.assign(`${dialog.dataset.acts}${key.dataset.action}/?${query}`);
        }
    }

    const KEYS = {
        j: () => move(1),
        k: () => move(-1),
        x: select,
        '/': () => document.getElementById('searchbar').focus(),
        '?': () => dialog.showModal(),
    };

    function writes(element) {
        return element.isContentEditable || element.matches('textarea, select, input:not([type=checkbox])');
    }

    function press(event) {
        if (off || dialog.open || event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) {
            return;
        }
        const act = Array.from(dialog.querySelectorAll('kbd[data-action]')).find(key => key.textContent === event.key);
        const does = KEYS[event.key] || (act && (() => ask(act)));
        if (does) {
            event.preventDefault();
            does();
        }
    }

    // "14:02 UTC" is followed by what that is here.
    function tellLocalTime(time) {
        const at = new Date(time.dateTime);
        if (!Number.isNaN(at.getTime()) && at.getTimezoneOffset()) {
            const here = document.createElement('span');
            here.className = 'local-time';
            here.textContent = ` (${at.toLocaleString(undefined, {dateStyle: 'short', timeStyle: 'short'})} here)`;
            time.append(here);
        }
    }

    document.querySelectorAll('#content time[datetime]').forEach(tellLocalTime);
    if (dialog) {
        const works = document.getElementById('keys-on');
        works.checked = !off;
        works.addEventListener('change', () => {
            off = !works.checked;
            keep(off);
        });
        const open = document.getElementById('keys-open');
        open.hidden = false;
        open.addEventListener('click', () => dialog.showModal());
        rows().forEach(row => row.addEventListener('focusin', () => enter(row)));
        document.addEventListener('keydown', press);
    }
}
