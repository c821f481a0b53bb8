// What looks wrong on the page once it stands in a width and a theme: nothing is wider than the window,
// cut off, below the header or over something else. Playwright calls it with both.
async ({ width, scheme }) => {
    const PATIENCE = 5000 // milliseconds in which the page may still move to where it belongs
    const root = document.documentElement
    const painted = () => new Promise(requestAnimationFrame)
    const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    const followed = () => innerWidth === width && root.dataset.mantineColorScheme === scheme
    const looked = () => {
        const faults = []
        if (root.scrollWidth > root.clientWidth) {
            const wide = [...document.body.querySelectorAll('*')]
                .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 0.5)
                .map((each) => each.outerHTML.slice(0, 120))
            faults.push(`wider than the window: ${wide.slice(-2).join(' in ')}`)
        }
        const buttons = document.querySelectorAll('button, a.mantine-Button-root')
        for (const button of [...buttons].filter(seen)) {
            for (const part of [button, ...button.querySelectorAll('*')]) {
                const { overflowX, textOverflow, display } = getComputedStyle(part)
                const hides = (part === button || overflowX !== 'visible') && textOverflow !== 'ellipsis'
                const words = part.clientWidth > 1 // else they are for the ear
                if (hides && words && display !== 'inline' && part.scrollWidth > part.clientWidth + 1) {
                    faults.push(`cut off: ${button.textContent || button.outerHTML.slice(0, 120)}`)
                }
            }
        }
        for (const box of document.querySelectorAll('[role=dialog] *, main section')) {
            const scrolls = /auto|scroll|hidden/.test(getComputedStyle(box).overflowX) && box.clientWidth > 1
            const meant = box.closest('pre, input, textarea, table, [data-wide]')
            if (scrolls && !meant && box.scrollWidth > box.clientWidth + 1) {
                faults.push(`cut off in a box: ${box.outerHTML.slice(0, 200)}`)
            }
        }
        const header = document.querySelector('header[class*=header]')
        if (header && scrollY === 0) {
            const { bottom } = header.getBoundingClientRect()
            for (const below of document.querySelectorAll('main, header ~ [role=status]')) {
                if (below.getBoundingClientRect().top < bottom - 0.5) faults.push('hidden below the header')
            }
            const parts = [...header.querySelectorAll('a, button, [data-status]:not([aria-hidden])')].filter(seen)
            const boxes = parts.map((part) => [part, part.getBoundingClientRect()])
            for (const [one, a] of boxes) {
                for (const [other, b] of boxes) {
                    if (one === other || one.contains(other) || other.contains(one)) continue
                    const across = a.left < b.right - 0.5 && b.left < a.right - 0.5
                    const along = a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5
                    if (across && along) faults.push(`overlap: ${one.textContent}, ${other.textContent}`)
                }
            }
        }
        return faults
    }
    const end = performance.now() + PATIENCE
    await painted() // it hears of its new width
    let faults
    do {
        await painted() // and has followed
        faults = followed() ? looked() : [`is ${innerWidth} wide, and ${root.dataset.mantineColorScheme}`]
    } while (faults.length > 0 && performance.now() < end)
    return faults
}
