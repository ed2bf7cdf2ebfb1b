"""A small version folder in the shape that the importer reads; codes and rules are invented for the tests."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "Grouper.py": """
        from drg_group.toy.MDC import MDCA,MDCZ,MDCF

        def group(record):

          result=MDCA.group(record)
          if result:
            return result

          result=MDCZ.group(record)
          if result:
            return result

          result=MDCF.group(record)
          if result:
            return result

          message('nothing fits')
          return '0000'
        """,
    "Grouper_toy.py": """
        class Grouper_toy:

          def group(self,record):
            result=group(record)
            output('***',result)
            if result=='0000':
              return GroupResult(record.Index,'0000','00','0000')
            else:
              return GroupResult(record.Index,'MDC'+result[0],result[:3],result)
        """,
    "MDC/MDCA.py": """
        from drg_group.toy.ADRG import AC1

        def group(record):
          mdc_zd=[]
          dept_list=[]
          if not (True and record.ssList and (record.ssList[0] in SS_VALID or record.ssList[0] in ["96.0400"])):
            return ''

          message('MDCA')
          result=AC1.group(record)
          if result:
            return result

          if False and record.ssList and intersect(SS_VALID,record.ssList):
            message('AQY')
            return 'AQY'

          message('no ADRG')
        """,
    "MDC/MDCZ.py": """
        from drg_group.toy.ADRG import ZZ1

        def group(record):
          mdc_zd=["头部创伤","S01.100","S02.100","下肢创伤","S72.000"]
          dept_list=[]
          if not (True and record.zdList[0] in mdc_zd):
            return ''

          zd_map={}
          type=""
          for x in mdc_zd:
            if x.endswith("创伤"):
              type=x
            else:
              zd_map[x]=type
          zd_matched=set(record.zdList).intersection(zd_map.keys())
          types=set([zd_map.get(x) for x in zd_matched])
          if zd_matched:
            message('regions')
            if len(types)<2:
              message('too few')
              return ''
          else:
            return ''

          result=ZZ1.group(record)
          if result:
            return result
        """,
    "MDC/MDCF.py": """
        from drg_group.toy.ADRG import FK1,FM1_1,FM1_2,FP1,FR1,FV1

        def group(record):
          mdc_zd=["I20.000","I21.000","I50.900","I10.x00"]
          dept_list=[]
          if not (True and record.zdList[0] in mdc_zd and int(record.age)>=0 and record.gender==1):
            return ''

          result=FK1.group(record)
          if result:
            return result
          result=FM1_1.group(record)
          if result:
            return result
          result=FM1_2.group(record)
          if result:
            return result
          result=FP1.group(record)
          if result:
            return result

          if record.ssList and record.ssList[0] in SS_VALID:
            message('FQY')
            return 'FQY'

          result=FR1.group(record)
          if result:
            return result
          result=FV1.group(record)
          if result:
            return result
        """,
    "ADRG/AC1.py": """
        def group(record):
          adrg_zd=[]
          adrg_zd1=[]
          adrg_ss=["52.8000","52.8200"]
          adrg_ss1=["55.6900"]
          dept_list=[]
          if True and record.ssList and intersect(record.ssList,adrg_ss) and intersect(record.ssList,adrg_ss1):
            message('AC1')
            if MDCA_DRG.AC19_group(record):
              return 'AC19'
            return 'AC1'
          else:
            return ''
        """,
    "ADRG/ZZ1.py": """
        def group(record):
          adrg_zd=[]
          if True and not intersect(record.ssList,SS_VALID):
            if MDCZ_DRG.ZZ11_group(record):
              return 'ZZ11'
            if MDCZ_DRG.ZZ15_group(record):
              return 'ZZ15'
            return 'ZZ1'
          else:
            return ''
        """,
    "ADRG/FK1.py": """
        def group(record):
          adrg_zd=["I21.000","I50.900"]
          adrg_ss=["37.9400","37.9500","00.5100","40.5100"]
          adrg_ss1=["1","2","2","3"]
          ss_matched=[adrg_ss1[adrg_ss.index(x)] for x in record.ssList if x in adrg_ss]
          if True and record.zdList[0] in adrg_zd and ("1" in ss_matched or ("2" in ss_matched and "3" in ss_matched)):
            if MDCF_DRG.FK19_group(record):
              return 'FK19'
            return 'FK1'
          else:
            return ''
        """,
    "ADRG/FM1_1.py": """
        def group(record):
          adrg_zd=[]
          adrg_ss=["36.0700","36.0600"]
          if (True and record.ssList and record.ssList[0] in adrg_ss
              and record.ssList and intersect(record.ssList,adrg_ss)):
            if FM1X.group(record):
              return 'FM1X'
            if MDCF_DRG.FM11_group(record):
              return 'FM11'
            if MDCF_DRG.FM15_group(record):
              return 'FM15'
            return ''
          else:
            return ''
        """,
    "ADRG/FM1_2.py": """
        def group(record):
          adrg_zd1=["T82.800"]
          adrg_ss=["36.0900"]
          if True and intersect(record.zdList[1:],adrg_zd1) and record.ssList and intersect(record.ssList,adrg_ss):
            if MDCF_DRG.FM15_group(record):
              return 'FM15'
            return ''
          else:
            return ''
        """,
    "ADRG/FP1.py": """
        def group(record):
          adrg_zd=["I50.900"]
          adrg_ss=[]
          if True and record.zdList[0] in adrg_zd and record.ssList and record.ssList[0] in adrg_ss:
            if MDCF_DRG.FP19_group(record):
              return 'FP19'
            return 'FP1'
          else:
            return ''
        """,
    "ADRG/FR1.py": """
        def group(record):
          adrg_zd=["I21.000","I20.000"]
          if True and record.zdList[0] in adrg_zd and (not record.ssList or not record.ssList[0] in SS_VALID):
            if MDCF_DRG.FR17_group(record):
              return 'FR17'
            if MDCF_DRG.FR11_group(record):
              return 'FR11'
            if MDCF_DRG.FR14_group(record):
              return 'FR14'
            return 'FR1'
          else:
            return ''
        """,
    "ADRG/FV1.py": """
        def group(record):
          if True:
            if MDCF_DRG.FV1A_group(record):
              return 'FV1A'
            if MDCF_DRG.FV1B_group(record):
              return 'FV1B'
            return 'FV1'
          else:
            return ''
        """,
    "DRG/MDCA_DRG.py": """
        def AC19_group(record):
          return True
        """,
    "DRG/MDCZ_DRG.py": """
        def ZZ11_group(record):
          return len(record.zdList)>1 and has_mcc(record.zdList[0],record.zdList[1:])
        def ZZ15_group(record):
          return True
        """,
    "DRG/MDCF_DRG.py": """
        def FK19_group(record):
          return True
        def FM11_group(record):
          return len(record.zdList)>1 and (
            has_mcc(record.zdList[0],record.zdList[1:]) or has_cc(record.zdList[0],record.zdList[1:]))
        def FM15_group(record):
          return True
        def FP19_group(record):
          return True
        def FR17_group(record):
          return record.inHospitalTime<5 and record.leavingType in ['2','5']
        def FR11_group(record):
          return 1<=record.icuHours<=120 and record.dept=='ICU'
        def FR14_group(record):
          return len(record.zdList)>1 and has_cc(record.zdList[0],record.zdList[1:]) and record.age>14
        def FV1A_group(record):
          return int(record.age)<=6
        def FV1B_group(record):
          return record.ssList and '39.6500' in record.ssList and '96.7200' in record.ssList
        """,
    "DRG_EX/FM1X.py": """
        def group(record):
          adrg_zd=[]
          adrg_ss=["99.1000"]
          if True and record.ssList and intersect(record.ssList[1:],adrg_ss):
            message('FM1X')
            return True
        """,
    "DATA/MCC.dat": "J96.000 9\nR57.000 7\n",
    "DATA/CC.dat": "E87.200 5\n",
    "DATA/CCE.dat": "I50.900 7\n",
    "DATA/SS_VALID.dat": "36.0600 支架\n36.0700 支架\n37.9400 除颤器\n38.5900 静脉\n",
    "DATA/DRG.dat": "FM15 支架\nFM1X 支架\n",
    "ICD/ZD_INFO.dat": "I20.000 心绞痛\n",
    "ICD/SS_INFO.dat": "36.0700 支架\n",
    "ICD/ZD_MAP.dat": "I20.000 I20.000\nI20.001 I20.000\n",
    "ICD/SS_MAP.dat": "36.0700 36.0700\n36.0701 -\n",
}


def write_version(folder: Path) -> Path:
    """Writes the folder and returns it."""
    from textwrap import dedent

    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip(), "utf-8")
    return folder
