import { useEffect } from 'react'

import { title } from '#/lib/title'

/** Name the page in the document's title, for as long as it is shown. */
export function usePageTitle(text: string): void {
  useEffect(() => {
    title.page = text
  }, [text])
}

/** What stands before the page's name in the title, such as "(3 down)". */
export function useTitleLead(text: string): void {
  useEffect(() => {
    title.lead = text
    return () => {
      title.lead = ''
    }
  }, [text])
}
